import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commitChanges, dataFile, emptyTable, FIXTURE, paths } from "../../test/table-fixture.ts";
import { faultyCatalog, type Fault } from "../../test/faulty-catalog.ts";
import { MemoryCatalog } from "../catalog/memory-catalog.ts";
import { LakeError } from "../lake-error.ts";
import { currentFiles } from "./current-files.ts";
import { postCommit } from "./post-commit.ts";
import type { SnapshotChange } from "./snapshot-change.ts";
import { stageCommit } from "./stage-commit.ts";
import { loadTable } from "./table.ts";

const append = (name: string): SnapshotChange => ({ operation: "append", addedData: [dataFile(name)] });
const quick = { waitMs: 1, waitMsMax: 2 };

async function lake() {
  const catalog = faultyCatalog(new MemoryCatalog());
  const { env, table } = await emptyTable({ catalog });
  const first = await commitChanges(env, table, [append("first")]);
  const staged = await stageCommit(env, {
    table: first,
    changes: [append("a"), append("b")],
    setProperties: { "firn.position.x": "7" },
  });
  const another = async () => {
    const now = await loadTable(env, FIXTURE);
    return commitChanges(env, now, [append("foreign")]);
  };
  const namesNow = async () => paths((await currentFiles(env, await loadTable(env, FIXTURE))).data);
  return { catalog, env, first, staged, another, namesNow };
}

describe("posting a commit", () => {
  it("tells of each answer that was lost, whatever the look finds", async () => {
    const { catalog, env, staged } = await lake();
    catalog.script({ commits: ["lost", "fail-after"] });
    const told: string[] = [];
    const observer = { unknownOutcome: (table: string) => void told.push(table), s3Request: () => undefined };
    expect((await postCommit({ ...env, observer }, staged, quick)).kind).toBe("committed");
    expect(told).toEqual([FIXTURE.name, FIXTURE.name]);
  });

  it("lands with all its snapshots and properties in one post", async () => {
    const { catalog, env, staged, namesNow } = await lake();
    catalog.script({});
    const posted = await postCommit(env, staged);
    expect(posted.kind).toBe("committed");
    expect(catalog.calls).toEqual(["commit"]);
    expect(posted.table.metadata.snapshots).toHaveLength(3);
    expect(posted.table.metadata["current-snapshot-id"]).toBe(staged.snapshotIds[1]);
    expect(posted.table.metadata.properties["firn.position.x"]).toBe("7");
    expect(await namesNow()).toEqual(["a", "b", "first"]);
  });

  it.each<[string, Fault[], Fault[], ("commit" | "load")[]]>([
    ["is posted again when it never arrived", ["fail-before"], [], ["commit", "commit"]],
    ["is looked up, not posted again, when its answer was lost", ["fail-after"], [], ["commit", "load"]],
    ["is looked up and posted again when it was lost", ["lost"], [], ["commit", "load", "commit"]],
    [
      "is found when it arrived late, behind its own copy's refusal",
      ["late"],
      [],
      ["commit", "load", "commit", "load"],
    ],
    [
      "is looked for until the catalog answers",
      ["fail-after"],
      ["fail-before", "fail-before"],
      ["commit", "load", "load", "load"],
    ],
    [
      "survives one trouble after the other",
      ["fail-before", "lost", "fail-after"],
      ["fail-before"],
      ["commit", "commit", "load", "load", "commit", "load"],
    ],
  ])("%s", async (_name, commits, loads, calls) => {
    const { catalog, env, staged, namesNow } = await lake();
    catalog.script({ commits, loads });
    const posted = await postCommit(env, staged, quick);
    expect(catalog.calls).toEqual(calls);
    expect(posted.kind).toBe("committed");
    expect(await namesNow()).toEqual(["a", "b", "first"]);
    expect(posted.table.metadata.snapshots).toHaveLength(3);
  });

  it("is a conflict when another commit came first", async () => {
    const { env, staged, another, namesNow } = await lake();
    const theirs = await another();
    const posted = await postCommit(env, staged, quick);
    expect(posted.kind).toBe("conflict");
    expect(posted.table.metadata["current-snapshot-id"]).toBe(theirs.metadata["current-snapshot-id"]);
    expect(posted.table.metadata.properties["firn.position.x"]).toBeUndefined();
    expect(await namesNow()).toEqual(["first", "foreign"]);
  });

  it("is committed, not a conflict, when it landed unseen and another commit followed", async () => {
    const { catalog, env, staged, another, namesNow } = await lake();
    catalog.script({
      commits: [
        async (call) => {
          await call();
          await another();
          throw new LakeError("unknown_outcome", "reset");
        },
      ],
    });
    const posted = await postCommit(env, staged, quick);
    expect(posted.kind).toBe("committed");
    expect(await namesNow()).toEqual(["a", "b", "first", "foreign"]);
  });

  it("is a conflict when it was lost and another commit took its parent's place", async () => {
    const { catalog, env, staged, another, namesNow } = await lake();
    catalog.script({
      commits: [
        async () => {
          await another();
          throw new LakeError("unknown_outcome", "reset");
        },
      ],
    });
    expect((await postCommit(env, staged, quick)).kind).toBe("conflict");
    expect(await namesNow()).toEqual(["first", "foreign"]);
  });

  it("is a conflict when it is refused although its parent is in place", async () => {
    const { catalog, env, staged, namesNow } = await lake();
    catalog.script({ commits: ["refuse"] });
    expect((await postCommit(env, staged, quick)).kind).toBe("conflict");
    expect(await namesNow()).toEqual(["first"]);
  });

  it("gives up with what is certain, and may be called again", async () => {
    const { catalog, env, staged, namesNow } = await lake();
    catalog.script({ commits: ["fail-before", "fail-before", "fail-before"] });
    await expect(postCommit(env, staged, { ...quick, attemptsMax: 3 })).rejects.toMatchObject({ kind: "unavailable" });
    catalog.script({ commits: ["fail-after"], loads: ["fail-before", "fail-before"] });
    await expect(postCommit(env, staged, { ...quick, attemptsMax: 3 })).rejects.toMatchObject({
      kind: "unknown_outcome",
      context: { attempts: 3 },
    });
    catalog.script({});
    expect((await postCommit(env, staged, quick)).kind).toBe("committed");
    expect(catalog.calls).toEqual(["commit", "load"]);
    expect(await namesNow()).toEqual(["a", "b", "first"]);
  });

  it("stops waiting when it is told to", async () => {
    const { catalog, env, staged } = await lake();
    catalog.script({ commits: ["lost"] });
    const signal = AbortSignal.timeout(5);
    await expect(postCommit(env, staged, { waitMs: 60_000, waitMsMax: 60_000, signal })).rejects.toMatchObject({
      kind: "unknown_outcome",
    });
  });

  it("fails when the table is gone, or another has its name", async () => {
    const { catalog, env, staged } = await lake();
    await catalog.dropTable(FIXTURE);
    await expect(postCommit(env, staged, quick)).rejects.toMatchObject({ kind: "not_found" });
    await catalog.createTable(FIXTURE, { schema: { type: "struct", fields: [] } });
    await expect(postCommit(env, staged, quick)).rejects.toMatchObject({ kind: "not_found" });
  });

  it("lands exactly once or not at all under any script of faults", async () => {
    const fault = fc.constantFrom<Fault>("ok", "fail-before", "lost", "fail-after", "late");
    const loadFault = fc.constantFrom<Fault>("ok", "fail-before");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 6 }),
        fc.array(loadFault, { maxLength: 4 }),
        async (commits, loads) => {
          const { catalog, env, staged, namesNow } = await lake();
          catalog.script({ commits, loads });
          const posted = await postCommit(env, staged, { waitMs: 0, attemptsMax: 4 }).catch(() => undefined);
          catalog.script({});
          // Whatever was said, the caller posts the same commit until it is told that it landed.
          const settled = posted ?? (await postCommit(env, staged, quick));
          expect(settled.kind).toBe("committed");
          expect(await namesNow()).toEqual(["a", "b", "first"]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
