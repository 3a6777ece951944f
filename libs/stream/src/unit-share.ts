/**
 * Spreads units of work (shards, lanes, tables) over the processes of a service that are there.
 *
 * Every member puts a notice on a board a few times within a lease: which units it can do and which it is doing. Whoever
 * reads the same notices comes to the same distribution (assign-units.ts). A unit is begun by the one that it falls to
 * once nobody else says that he is doing it: at once where it was given back, else when the other's lease has ended.
 * A process that comes back under its name takes its units up at once.
 *
 * This saves work and guards nothing: two members that know of different others may do the same unit for a while, and
 * the fence of the unit's own effect (an expected sequence, a table's snapshot) refuses one of them.
 */
import { randomUUID } from "node:crypto";
import { assignUnits } from "./assign-units.ts";
import { pause } from "./back-off.ts";
import type { MemberBoard, MemberNotice, StreamConnection } from "./connection.ts";
import { isStreamError } from "./stream-error.ts";

/** Bucket of the members of a lake's services. */
export const MEMBERS_BUCKET = "firn-members";

/** Notices in a lease: three may be lost or late. */
const BEATS_PER_LEASE = 5;

export interface UnitShareOptions {
  readonly connection: StreamConnection;
  /** Whose units they are: the service. Letters, digits, `-` and `_`. */
  readonly group: string;
  /** This member: stays the same over restarts, and no other process has it. */
  readonly member: string;
  /** What this member can do, as `<group>.<part>`: units of a group are spread evenly. */
  readonly units: readonly string[];
  /** How long a silent member is taken to be there, in milliseconds. */
  readonly leaseMs: number;
  /** After each change of what this member does, or of who is there. */
  changed?(held: readonly string[], members: readonly string[]): void;
}

/** Does a unit until the signal aborts. What it throws ends the share. */
export type UnitWork = (unit: string, signal: AbortSignal) => Promise<void>;

interface Notice {
  readonly v: 1;
  /** Of this run of the process, and when it began: of two under one name the later has it. */
  readonly instance: string;
  readonly sinceMs: number;
  readonly units: readonly string[];
  readonly holds: readonly string[];
  /** It takes nothing any more, and is gone when it holds nothing. */
  readonly leaves: boolean;
}

interface Rival {
  readonly timestampMs: number;
  readonly sinceMs: number;
}

export class UnitShare {
  readonly #options: UnitShareOptions;
  readonly #board: MemberBoard;
  readonly #instance = randomUUID();
  readonly #sinceMs = Date.now();
  readonly #held = new Map<string, AbortController>();
  /** The others, with when they were last there by this process's clock. */
  readonly #others = new Map<string, { readonly notice: Notice; seenMs: number }>();
  /** Another process under this member's name, as it was seen last and since when. */
  #rival: Rival | undefined;
  #leaves = false;
  #failure: { readonly error: unknown } | undefined;
  #wake = new AbortController();
  /** When the last notice was put and the last reading came, by this process's clock. */
  #lastPutMs = -Infinity;
  #lastReadMs = -Infinity;
  #lastSaid = "";
  #lastTold = "";
  /** The broker did not answer the last time. */
  #silent = false;

  private constructor(options: UnitShareOptions, board: MemberBoard) {
    this.#options = options;
    this.#board = board;
  }

  /** @throws StreamError when the broker is away */
  static async open(options: UnitShareOptions): Promise<UnitShare> {
    return new UnitShare(options, await options.connection.members(MEMBERS_BUCKET));
  }

  /** What this member is doing now. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Who is there, this member too. */
  get members(): readonly string[] {
    return [this.#options.member, ...this.#others.keys()].sort();
  }

  /** A member without units is ready: there are more members than units. */
  whyNotReady(): string | undefined {
    if (this.#rival === undefined) return undefined;
    return `another process is member ${this.#options.member} too: give each its own FIRN_MEMBER`;
  }

  /** Does this member's units until the signal aborts and all of them have ended; throws what a unit has thrown. */
  async run(signal: AbortSignal, work: UnitWork): Promise<void> {
    const { connection, group, leaseMs } = this.#options;
    const beatMs = leaseMs / BEATS_PER_LEASE;
    const wake = () => this.#wake.abort();
    const endHints = connection.subscribeHints(hintOf(group), wake);
    signal.addEventListener("abort", wake);
    try {
      for (let isDone = false; !isDone;) {
        this.#leaves = signal.aborted || this.#failure !== undefined;
        await this.#beat(work, beatMs);
        isDone = this.#leaves && this.#held.size === 0 && (this.#isMute || this.#lastSaid === this.#notice());
        if (!isDone) await pause(beatMs, this.#wake.signal);
        this.#wake = new AbortController();
      }
    } finally {
      signal.removeEventListener("abort", wake);
      endHints();
    }
    if (this.#failure) throw this.#failure.error;
  }

  async #beat(work: UnitWork, beatMs: number): Promise<void> {
    const { connection, group } = this.#options;
    // Before anything is read, or the notice of this member's last run would look like a rival's.
    if (this.#lastPutMs === -Infinity && !(await this.#attempt(() => this.#put()))) return;
    const begins = await this.#judge();
    for (const unit of begins) this.#held.set(unit, new AbortController());
    const isNews = this.#notice() !== this.#lastSaid;
    const isDue = isNews || performance.now() - this.#lastPutMs >= beatMs / 2;
    // The later process of this name has its notice there.
    if (isDue && this.#rival === undefined && (await this.#attempt(() => this.#put())) && isNews)
      connection.publishHint(hintOf(group), new Uint8Array());
    for (const unit of begins) this.#begin(unit, work);
    this.#tell();
  }

  /** Ends what is not this member's any more; returns what it begins. */
  async #judge(): Promise<string[]> {
    const { leaseMs, member, units } = this.#options;
    const silenceMs = performance.now() - this.#lastReadMs;
    const isRead = await this.#attempt(() => this.#read());
    // The others may have taken the units of a member that was away for so long; alone it goes on.
    if (silenceMs > leaseMs && this.#others.size > 0) {
      this.#end(this.#held.keys());
      return [];
    }
    const takes = new Map<string, readonly string[]>();
    for (const [name, { notice }] of this.#others) if (!notice.leaves) takes.set(name, notice.units);
    if (!this.#leaves && this.#rival === undefined) takes.set(member, units);
    const assigned = assignUnits(takes);
    this.#end([...this.#held.keys()].filter((unit) => assigned.get(unit) !== member));
    if (!isRead) return [];
    const busy = new Set([...this.#others.values()].flatMap(({ notice }) => notice.holds));
    return units.filter((unit) => assigned.get(unit) === member && !this.#held.has(unit) && !busy.has(unit));
  }

  #end(units: Iterable<string>): void {
    for (const unit of units) this.#held.get(unit)?.abort();
  }

  #begin(unit: string, work: UnitWork): void {
    const stop = this.#held.get(unit)!;
    void work(unit, stop.signal)
      .then(() => {
        if (!stop.signal.aborted) throw new Error(`unit ${unit} ended although nothing asked it to`);
      })
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#held.delete(unit);
        this.#wake.abort();
      });
  }

  /** What this member says now, as JSON. */
  #notice(): string {
    const notice: Notice = {
      v: 1,
      instance: this.#instance,
      sinceMs: this.#sinceMs,
      units: this.#options.units,
      holds: this.held,
      leaves: this.#leaves,
    };
    return JSON.stringify(notice);
  }

  async #put(): Promise<void> {
    const notice = this.#notice();
    await this.#board.put(this.#options.group, this.#options.member, JSON.parse(notice));
    this.#lastSaid = notice;
    this.#lastPutMs = performance.now();
  }

  async #read(): Promise<void> {
    const { group, leaseMs, member } = this.#options;
    const found = await this.#board.read(group);
    const nowMs = performance.now();
    // The board may have been lost with the broker: who was there gets a lease's time to say so again.
    if (this.#silent) for (const other of this.#others.values()) other.seenMs = nowMs;
    this.#lastReadMs = nowMs;
    const own = found.find((notice) => notice.member === member);
    const isOurs = own !== undefined && parseNotice(own.value)?.instance === this.#instance;
    this.#rival = own && !isOurs ? this.#rivalIn(own, nowMs) : undefined;
    // The broker's time, by what it gave the last notice of this member.
    const brokerMs = isOurs ? own.timestampMs + nowMs - this.#lastPutMs : newestOf(found);
    for (const one of found) {
      const notice = parseNotice(one.value);
      if (one.member === member || notice === undefined) continue;
      const ageMs = Math.max(0, brokerMs - one.timestampMs);
      if (isGone(notice)) this.#others.delete(one.member);
      else if (ageMs <= leaseMs) this.#others.set(one.member, { notice, seenMs: nowMs - ageMs });
    }
    for (const [name, { seenMs }] of this.#others) if (nowMs - seenMs > leaseMs) this.#others.delete(name);
  }

  /** A notice of a later process under this member's name, while it is renewed. */
  #rivalIn({ timestampMs, value }: MemberNotice, nowMs: number): Rival | undefined {
    const notice = parseNotice(value);
    if (notice === undefined || isGone(notice)) return undefined;
    const isLater = notice.sinceMs - this.#sinceMs || (notice.instance > this.#instance ? 1 : -1);
    if (isLater < 0) return undefined;
    const known = this.#rival;
    if (known?.timestampMs !== timestampMs) return { timestampMs, sinceMs: nowMs };
    return nowMs - known.sinceMs > this.#options.leaseMs ? undefined : known;
  }

  /** What it says reaches nobody. */
  get #isMute(): boolean {
    return this.#silent || this.#rival !== undefined;
  }

  /** Whether it could be done; a broker that is away is for the next beat. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#silent = false;
      return true;
    } catch (error) {
      if (!isStreamError(error)) throw error;
      this.#silent = true;
      return false;
    }
  }

  #tell(): void {
    const told = JSON.stringify([this.held, this.members]);
    if (told === this.#lastTold) return;
    this.#lastTold = told;
    this.#options.changed?.(this.held, this.members);
  }
}

const hintOf = (group: string): string => `members.${group}`;

const isGone = ({ holds, leaves }: Notice): boolean => leaves && holds.length === 0;

function newestOf(notices: readonly MemberNotice[]): number {
  return Math.max(...notices.map(({ timestampMs }) => timestampMs));
}

/** Undefined for a notice of another version. */
function parseNotice(value: unknown): Notice | undefined {
  const notice = value as Partial<Notice> | null;
  return notice?.v === 1 && Array.isArray(notice.units) && Array.isArray(notice.holds) ? (notice as Notice) : undefined;
}
