// Lets every writer make every feature's table and every reader read it. A cell is one writer, reader and feature: it is
// ok when the rows at the end, at every mark of the past and to every question are the feature's own.
import { ask } from "../interop/ask.mjs";
import { canonicalRows, checksum } from "./canonical.mjs";
import { features as all, tableOf } from "./features/index.mjs";
import { limitsOf } from "./limits.mjs";

/**
 * @param engines of engines.mjs
 * @param report called with each cell: {writer, reader, feature, state: "ok" | "limit" | "failed", checksum, detail}.
 *   A limit is a failure that limits.mjs knows; one that it knows and that does not happen has failed.
 */
export async function cross({ catalogUri, engines, writers, readers, features = all, report }) {
  for (const writer of writers) {
    const namespace = `matrix_${writer.engine}`;
    await createNamespace(catalogUri, namespace);
    for (const feature of features) {
      const table = `${namespace}.${tableOf(feature)}`;
      const written = await attempt(() => write({ catalogUri, engines, writer, feature, table }));
      if (written.failure !== undefined) {
        report(judge({ writer: writer.name, feature: feature.name }, written));
        continue;
      }
      for (const reader of readers) {
        const place = { writer: writer.name, reader: reader.name, feature: feature.name };
        const found = await attempt(() => read({ engines, reader, feature, table, written: written.value }));
        report(judge(place, found));
      }
    }
  }
}

function judge(place, { value, failure }) {
  const known = limitsOf(place);
  if (failure === undefined && known.length > 0)
    return { ...place, state: "failed", detail: `works now, in spite of: ${known[0].reason}` };
  if (failure === undefined) return { ...place, state: "ok", checksum: value };
  const limit = known.find(({ pattern }) => pattern.test(failure));
  return limit === undefined
    ? { ...place, state: "failed", detail: failure }
    : { ...place, state: "limit", detail: failure, limit: limit.id };
}

async function attempt(work) {
  try {
    return { value: await work() };
  } catch (error) {
    return { failure: error.message.replaceAll(/\s+/g, " ").slice(0, 600) };
  }
}

/** @returns {columns, marks: {name: {snapshotId, columns}}} as the table is at its end */
async function write({ catalogUri, engines, writer, feature, table }) {
  const engine = await engines.get(writer.engine);
  let { columns, partition = [] } = feature;
  const marks = {};
  await writer.create(engine, table, { columns, partition });
  for (const step of feature.steps) {
    if (step.append) await writer.append(engine, table, columns, step.append);
    if (step.delete) await writer.delete(engine, table, step.delete);
    if (step.evolve) {
      await writer.evolve(engine, table, step.evolve);
      columns = step.columns;
    }
    if (step.repartition) {
      await writer.repartition(engine, table, partition, step.repartition);
      partition = step.repartition;
    }
    if (step.mark) marks[step.mark] = { columns, snapshotId: await currentSnapshotId(catalogUri, table) };
  }
  if (feature.written) await requireWritten(catalogUri, table, feature.written);
  return { columns, marks };
}

/** @returns the checksum of the rows at the end */
async function read({ engines, reader, feature, table, written: { columns, marks } }) {
  const engine = await engines.get(reader.engine);
  const rowsOf = async (of, options) => canonicalRows(of, await reader.read(engine, table, of, options));
  const end = await rowsOf(columns, {});
  requireRows("rows", end, canonicalRows(columns, feature.rows));
  for (const [name, rows] of Object.entries(feature.marks ?? {})) {
    const { snapshotId, columns: then } = marks[name];
    requireRows(`rows at "${name}"`, await rowsOf(then, { snapshotId }), canonicalRows(then, rows));
  }
  for (const { where, rows } of feature.questions ?? [])
    requireRows(`rows where ${where.join(" ")}`, await rowsOf(columns, { where }), canonicalRows(columns, rows));
  return checksum(end);
}

function requireRows(what, found, expected) {
  if (checksum(found) === checksum(expected)) return;
  const other = found.find((line) => !expected.includes(line)) ?? "no other row";
  const missing = expected.find((line) => !found.includes(line)) ?? "none";
  throw new Error(`${what}: ${found.length} of ${expected.length}; wrong: ${other}; missing: ${missing}`);
}

async function createNamespace(catalogUri, name) {
  const answer = await ask(`${catalogUri}/v1/namespaces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ namespace: [name] }),
  });
  if (!answer.ok && answer.status !== 409) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
}

async function currentSnapshotId(catalogUri, table) {
  const id = /"current-snapshot-id"\s*:\s*(-?\d+)/.exec(await loadTable(catalogUri, table))?.[1];
  if (id === undefined || id === "-1") throw new Error(`${table} has no snapshot`);
  return id;
}

async function requireWritten(catalogUri, table, entry) {
  const text = await loadTable(catalogUri, table);
  const id = /"current-snapshot-id"\s*:\s*(-?\d+)/.exec(text)?.[1];
  // The digits of a snapshot's id are too many for JSON.parse.
  const { metadata } = JSON.parse(text.replaceAll(/(-id"\s*:\s*)(-?\d{16,})/g, '$1"$2"'));
  const { summary } = metadata.snapshots.find((snapshot) => String(snapshot["snapshot-id"]) === id);
  if (!(Number(summary[entry]) > 0)) throw new Error(`the snapshot has ${entry} ${summary[entry] ?? "absent"}`);
}

async function loadTable(catalogUri, table) {
  const [namespace, name] = table.split(".");
  const answer = await ask(`${catalogUri}/v1/namespaces/${namespace}/tables/${name}`);
  if (!answer.ok) throw new Error(`${table}: ${answer.status} ${await answer.text()}`);
  return answer.text();
}

/** Where a table lies, and its current metadata file below that folder, by the catalog. */
export async function locateTable(catalogUri, table) {
  const location = /"metadata-location"\s*:\s*"([^"]+)"/.exec(await loadTable(catalogUri, table))[1];
  const file = decodeURIComponent(new URL(location).pathname);
  const directory = file.slice(0, file.lastIndexOf("/metadata/"));
  return { directory, metadata: file.slice(directory.length + 1) };
}
