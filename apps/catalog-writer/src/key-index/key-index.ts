/**
 * The local key index of one table: identity digest → (content digest, partition).
 *
 * Promise: it equals the table at the snapshot that it names, or says that it does not; it is written after the
 * commit and can be deleted at any time (the table rebuilds it). Merging and compaction do not touch it, since it
 * holds no file names. One process opens it; reads see every write that `apply` has resolved.
 *
 * It is a log-structured merge tree: the newest entries in memory and a log, older ones in sorted runs. A batch is
 * looked up in the order of its keys, and written as a run or into the log: no page of the index is touched at random,
 * so a commit costs the same whatever the table holds (ADR 0006).
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TableEntries } from "../resolve.ts";
import { entryWords, type IdentityKeys, keyOrder, KeyWords, removedPartition } from "./identity-keys.ts";
import { entriesOf, type IndexChange, type PreparedChange } from "./index-change.ts";
import {
  emptyManifest,
  type IndexManifest,
  type IndexState,
  readIndexManifest,
  removeLeftOvers,
  writeIndexManifest,
} from "./index-files.ts";
import { KeyRun } from "./key-run.ts";
import { lookUpInRun } from "./look-up-in-run.ts";
import { mergeRuns } from "./merge-runs.ts";
import { RecentEntries } from "./recent-entries.ts";
import { RecentLog } from "./recent-log.ts";
import { runsToMerge } from "./run-levels.ts";
import { RunWriter } from "./run-writer.ts";

/** Changes when a digest or a file's layout does: an index of another version is rebuilt. */
export const keyIndexVersion = "2:md5:duckdb-1.5.5";

const recentMaxDefault = 65_536;
const logFile = "recent.log";

export interface KeyIndexOptions {
  /** Columns that the content digest is made of: an index with digests of others is rebuilt. Default: none. */
  readonly content?: readonly string[];
  /** Entries held in memory and the log at most; larger changes become a run at once. Default 65,536. */
  readonly recentMax?: number;
}

/** What a log record says beside its entries. */
interface LoggedState {
  readonly state: IndexState | null;
  readonly firstPartition: number;
  readonly partitions: readonly string[];
}

export class KeyIndex {
  readonly #folder: string;
  readonly #recentMax: number;
  readonly #version: string;
  readonly #log: RecentLog;
  readonly #recent = new RecentEntries();
  /** Oldest first. */
  #runs: KeyRun[];
  #state: IndexState | null;
  #generation: number;
  #nextRun: number;
  readonly #names: string[];
  readonly #ordinals: Map<string, number>;
  #loggedNames: number;
  /** Runs that are being merged, and what merges them: each merge has neighbouring runs of its own. */
  readonly #beingMerged = new Set<KeyRun>();
  readonly #merges = new Set<Promise<void>>();
  /** Merges of an earlier one stop. */
  #epoch = 0;
  #failure: unknown;
  #closed = false;

  private constructor(folder: string, options: KeyIndexOptions, manifest: IndexManifest, runs: KeyRun[]) {
    this.#folder = folder;
    this.#recentMax = options.recentMax ?? recentMaxDefault;
    this.#version = [keyIndexVersion, ...(options.content ?? [])].join(" ");
    this.#runs = runs;
    this.#state = manifest.state;
    this.#generation = manifest.generation;
    this.#nextRun = manifest.nextRun;
    this.#names = [...manifest.partitions];
    const { log, records } = RecentLog.open(join(folder, logFile), manifest.generation);
    this.#log = log;
    for (const { entries, state } of records) this.#replay(entries, state as LoggedState);
    this.#ordinals = new Map(this.#names.map((name, ordinal) => [name, ordinal]));
    this.#loggedNames = this.#names.length;
  }

  /** Opens the index in a folder of its own; a damaged one is thrown away (it is only a cache). */
  static open(folder: string, options: KeyIndexOptions = {}): KeyIndex {
    mkdirSync(folder, { recursive: true });
    try {
      return KeyIndex.#openWhole(folder, options);
    } catch {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      return new KeyIndex(folder, options, emptyManifest, []);
    }
  }

  static #openWhole(folder: string, options: KeyIndexOptions): KeyIndex {
    const manifest = readIndexManifest(folder);
    removeLeftOvers(folder, manifest, [logFile]);
    const runs: KeyRun[] = [];
    try {
      for (const name of manifest.runs) runs.push(KeyRun.open(join(folder, name)));
      return new KeyIndex(folder, options, manifest, runs);
    } catch (error) {
      for (const run of runs) run.close();
      throw error;
    }
  }

  /** Undefined where there is no index, or one that is of no use: it has to be rebuilt. */
  state(): IndexState | undefined {
    return this.#state?.version === this.#version ? this.#state : undefined;
  }

  /** The ordinal of a partition (its values as one text), assigned at first sight. */
  partitionOrdinal(name: string): number {
    const known = this.#ordinals.get(name);
    if (known !== undefined) return known;
    this.#ordinals.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  partitionName(ordinal: number): string | undefined {
    return this.#names[ordinal];
  }

  /**
   * What the table holds of the identities of some records of a batch.
   * @param rows records in the order of their keys (`keyOrder`)
   * @throws DamagedRun when a file is not what it was; the index then has to be rebuilt
   */
  lookUp(keys: IdentityKeys, rows: Int32Array): TableEntries {
    const entries = {
      found: new Uint8Array(keys.rows),
      content: new BigUint64Array(keys.rows),
      partition: new Int32Array(keys.rows).fill(removedPartition),
    };
    const words = new KeyWords(keys);
    try {
      let wanted = this.#lookUpRecent(words, rows, entries);
      for (const run of this.#runs.toReversed()) wanted = lookUpInRun(run, words, wanted, entries);
    } catch (error) {
      this.#state = null;
      throw error;
    }
    return entries;
  }

  /**
   * Lays a batch's changes down, so that its keys need not be held until they are applied: many as a run, which counts
   * only once it is applied and is left over otherwise.
   */
  prepare(change: IndexChange): PreparedChange {
    if (change.rows.length > this.#recentMax) return { kind: "run", run: this.#writeChange(change) };
    return { kind: "entries", entries: entriesOf(change, change.rows) };
  }

  /** Takes back what was prepared and is not going to be applied. */
  discard(change: PreparedChange): void {
    if (change.kind === "run") remove(change.run);
  }

  /** Writes a batch's changes and names the snapshot that the index then equals. */
  async apply(change: PreparedChange | undefined, after: Omit<IndexState, "version" | "whole">): Promise<void> {
    await this.#write(change, { ...after, version: this.#version, whole: true });
  }

  /** Writes changes without naming a snapshot: a crash before the next `apply` leaves the index marked as not whole. */
  async applyPart(change: IndexChange): Promise<void> {
    await this.#write(this.prepare(change), this.#state === null ? null : { ...this.#state, whole: false });
  }

  /** Starts a rebuild: empties the index and marks it as not whole. */
  async clear(tableUuid: string): Promise<void> {
    await this.#stopMerges();
    const runs = this.#runs;
    this.#runs = [];
    this.#recent.clear();
    this.#state = { version: this.#version, tableUuid, snapshotId: "", whole: false };
    this.#writeManifest();
    for (const run of runs) remove(run);
  }

  /** Resolves when no runs are left to be merged, or a merge has failed. */
  async settled(): Promise<void> {
    for (this.#startMerge(); this.#merges.size > 0;) {
      await Promise.all(this.#merges);
      if (this.#failure === undefined) this.#startMerge();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stopMerges();
    this.#log.close();
    for (const run of this.#runs) run.close();
  }

  async #write(change: PreparedChange | undefined, state: IndexState | null): Promise<void> {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
    if (change?.kind === "run") {
      this.#flushRecent();
      this.#runs.push(change.run);
      this.#state = state;
      this.#writeManifest();
      await this.#mergeWhenDue();
      return;
    }
    const entries = change?.entries ?? new Uint32Array(0);
    const rows = entries.length / entryWords;
    if (this.#recent.size + rows > this.#recentMax) this.#flushRecent();
    this.#state = state;
    for (let at = 0; at < rows; at++) this.#recent.put(entries, at);
    const names = this.#names.slice(this.#loggedNames);
    const logged: LoggedState = { state, firstPartition: this.#loggedNames, partitions: names };
    this.#log.append(this.#generation, entries, logged);
    this.#loggedNames = this.#names.length;
    await this.#mergeWhenDue();
  }

  #replay(entries: Uint32Array, { state, firstPartition, partitions }: LoggedState): void {
    this.#state = state;
    for (const [n, name] of partitions.entries()) this.#names[firstPartition + n] = name;
    for (let at = 0; at < entries.length / entryWords; at++) this.#recent.put(entries, at);
  }

  #lookUpRecent(words: KeyWords, rows: Int32Array, into: TableEntries): Int32Array {
    if (this.#recent.size === 0) return rows;
    return rows.filter((row) => {
      const entry = this.#recent.find(words.of(row));
      if (entry === undefined) return true;
      const partition = entry[6]! | 0;
      if (partition === removedPartition) return false;
      into.found[row] = 1;
      into.content[row] = (BigInt(entry[5]!) << 32n) | BigInt(entry[4]!);
      into.partition[row] = partition;
      return false;
    });
  }

  /** The newest entries become a run; the manifest that is written next names it. */
  #flushRecent(): void {
    if (this.#recent.size === 0) return;
    const { entries, order } = this.#recent.sorted();
    const run = this.#writeRun(order.length, (writer) => {
      for (const at of order) writer.add(entries, at * entryWords);
    });
    this.#runs.push(run);
    this.#recent.clear();
    this.#writeManifest();
  }

  #writeChange(change: IndexChange): KeyRun {
    const order = change.inKeyOrder === true ? change.rows : keyOrder(change.keys, change.rows);
    const part = 8_192;
    return this.#writeRun(order.length, (writer) => {
      for (let from = 0; from < order.length; from += part) {
        const rows = order.subarray(from, from + part);
        const entries = entriesOf(change, rows);
        for (let at = 0; at < entries.length; at += entryWords) writer.add(entries, at);
      }
    });
  }

  /** Answers a run that no manifest names yet. */
  #writeRun(entries: number, fill: (writer: RunWriter) => void): KeyRun {
    const path = this.#newRunPath();
    const writer = new RunWriter(path, entries);
    try {
      fill(writer);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    return KeyRun.ofWritten(writer.finish());
  }

  #newRunPath(): string {
    return join(this.#folder, `run-${this.#nextRun++}`);
  }

  /** A new generation: what the log holds is in the runs now. */
  #writeManifest(): void {
    const isLogged = this.#recent.size > 0;
    if (!isLogged) this.#generation++;
    writeIndexManifest(this.#folder, {
      generation: this.#generation,
      nextRun: this.#nextRun,
      state: this.#state,
      partitions: this.#names,
      runs: this.#runs.map((run) => run.path.slice(this.#folder.length + 1)),
    });
    this.#loggedNames = this.#names.length;
    if (!isLogged) this.#log.empty();
  }

  /** Merges runs beside other work; waits for it only where runs come faster than they are merged. */
  async #mergeWhenDue(): Promise<void> {
    this.#startMerge();
    if (this.#runs.length >= runsMax) await Promise.all(this.#merges);
  }

  /** Runs that came since a merge began are merged beside it, so that a long one does not let them pile up. */
  #startMerge(): void {
    if (this.#closed) return;
    const free = this.#runs.slice(this.#runs.findLastIndex((run) => this.#beingMerged.has(run)) + 1);
    const due = runsToMerge(
      free.map((run) => run.entries),
      this.#recentMax,
    );
    if (due === 0) return;
    const runs = free.slice(-due);
    for (const run of runs) this.#beingMerged.add(run);
    const merge = this.#merge(runs)
      .catch((error: unknown) => void (this.#failure = error))
      .finally(() => {
        for (const run of runs) this.#beingMerged.delete(run);
        this.#merges.delete(merge);
      });
    this.#merges.add(merge);
  }

  /** Neighbouring runs become one. */
  async #merge(runs: readonly KeyRun[]): Promise<void> {
    const epoch = this.#epoch;
    const isStopped = () => this.#epoch !== epoch;
    const isOldest = runs[0] === this.#runs[0];
    const written = await mergeRuns(runs.toReversed(), this.#newRunPath(), { isOldest, isStopped });
    if (written === undefined) return;
    this.#runs = this.#runs.toSpliced(this.#runs.indexOf(runs[0]!), runs.length, KeyRun.ofWritten(written));
    this.#writeManifest();
    for (const old of runs) remove(old);
  }

  async #stopMerges(): Promise<void> {
    this.#epoch++;
    await Promise.all(this.#merges);
  }
}

/** With more runs than this a commit waits for a merge. */
const runsMax = 24;

function remove(run: KeyRun): void {
  run.close();
  rmSync(run.path, { force: true });
}
