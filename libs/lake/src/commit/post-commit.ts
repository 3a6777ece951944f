import { setTimeout as sleep } from "node:timers/promises";
import { tableName } from "../catalog/catalog.ts";
import { isLakeError, LakeError } from "../lake-error.ts";
import { snapshotById } from "../metadata/table-metadata.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { StagedCommit } from "./staged-commit.ts";
import { loadTable, tableOf, type Table } from "./table.ts";

/**
 * `committed`: the commit is in the table, once. `conflict`: it is not, and never will be; `table` is the state that
 * took its place: plan again on it, positions first.
 */
export type PostedCommit =
  { readonly kind: "committed"; readonly table: Table } | { readonly kind: "conflict"; readonly table: Table };

export interface PostOptions {
  /** Ends the waiting between attempts, never an attempt. */
  readonly signal?: AbortSignal;
  /** Posts and looks that may fail before giving up. Default 8. */
  readonly attemptsMax?: number;
  /** Wait after the first failure; doubles each time up to `waitMsMax`. Default 100. */
  readonly waitMs?: number;
  /** Default 5000. */
  readonly waitMsMax?: number;
}

const ATTEMPTS_MAX = 8;
const WAIT_MS = 100;
const WAIT_MS_MAX = 5_000;

type Look = "committed" | "conflict" | "absent";

/**
 * Posts a staged commit until its outcome is certain (docs/architecture.md, "Commits").
 *
 * One post is one attempt. After a refusal or an unknown outcome the table is loaded and searched for the snapshot id:
 * there, it is committed; absent with another snapshot in its parent's place, it can never land; absent with the
 * parent still in place, the same commit is posted again. Nothing is deleted or staged again here.
 *
 * Fails as `unknown_outcome` or `unavailable` when attempts or patience end: call it again with the same commit, that
 * is always safe. Fails as `not_found` when the table is gone or another one has its name.
 */
export async function postCommit(
  env: LakeEnvironment,
  staged: StagedCommit,
  options: PostOptions = {},
): Promise<PostedCommit> {
  let next: "post" | "look" = "post";
  let outcomeUnknown = false;
  let refused = false;
  for (let attempt = 1; ; attempt++) {
    try {
      if (next === "post") {
        const loaded = await env.catalog.commitTable(staged.identifier, staged.commit);
        return { kind: "committed", table: tableOf(staged.identifier, loaded) };
      }
      const table = await loadTable(env, staged.identifier);
      const found = lookFor(staged, table);
      if (found !== "absent") return { kind: found, table };
      // Refused for another reason than its parent: the same commit would be refused again.
      if (refused) return { kind: "conflict", table };
      next = "post";
    } catch (error) {
      if (!isLakeError(error, "conflict", "unknown_outcome", "unavailable")) throw error;
      if (next === "post" && error.kind === "unknown_outcome") env.observer?.unknownOutcome(staged.identifier.name);
      outcomeUnknown ||= error.kind === "unknown_outcome";
      if (attempt >= (options.attemptsMax ?? ATTEMPTS_MAX)) throw givenUp(staged, attempt, outcomeUnknown, error);
      refused ||= error.kind === "conflict";
      const answered = next === "post" && error.kind === "conflict";
      if (error.kind !== "unavailable") next = "look";
      if (!answered) await waitAfter(attempt, options, (cause) => givenUp(staged, attempt, outcomeUnknown, cause));
    }
  }
}

function lookFor(staged: StagedCommit, { metadata }: Table): Look {
  if (metadata["table-uuid"] !== staged.tableUuid) {
    const name = tableName(staged.identifier);
    throw new LakeError("not_found", `table ${name} was replaced by another of the same name`, {
      context: { table: name, expectedUuid: staged.tableUuid, foundUuid: metadata["table-uuid"] },
    });
  }
  if (staged.snapshotIds.some((id) => snapshotById(metadata, id) !== undefined)) return "committed";
  return metadata["current-snapshot-id"] === staged.parentSnapshotId ? "absent" : "conflict";
}

async function waitAfter(attempt: number, options: PostOptions, stopped: (cause: unknown) => Error): Promise<void> {
  const { waitMs = WAIT_MS, waitMsMax = WAIT_MS_MAX, signal } = options;
  try {
    await sleep(Math.min(waitMs * 2 ** (attempt - 1), waitMsMax), undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw stopped(cause);
  }
}

function givenUp(staged: StagedCommit, attempts: number, outcomeUnknown: boolean, cause: unknown): LakeError {
  const kind = outcomeUnknown ? "unknown_outcome" : "unavailable";
  const name = tableName(staged.identifier);
  return new LakeError(kind, `commit to ${name} has no certain outcome after ${attempts} attempts`, {
    context: { table: name, snapshotIds: staged.snapshotIds.map(String), attempts },
    cause,
  });
}
