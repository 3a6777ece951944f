// @firn/lake on a REST catalog: firn-session.ts CATALOG_URI WAREHOUSE, then commands as writers/firn.mjs and
// readers/firn.mjs send them, in base64, one a line; one JSON answer each.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  changePartitioning,
  changeSchema,
  commitChange,
  isIn,
  type KernelConnection,
  type LakeEnvironment,
  type Literal,
  loadTable,
  openKernel,
  openLake,
  type PartitionChoice,
  planScan,
  type Predicate,
  scanSql,
  type SchemaChange,
  sqlName,
  stagePositionDeletes,
  stageRows,
  type Table,
  type UnnumberedPartitionSpec,
  type UnnumberedSchema,
} from "@firn/lake";

const DAY_MS = 86_400_000;

interface Column {
  readonly name: string;
  readonly type: unknown;
}

type Where = readonly [column: string, comparison: "=" | "<", value: string | number];

type Command =
  | { readonly kind: "create"; readonly schema: UnnumberedSchema; readonly spec: UnnumberedPartitionSpec }
  | { readonly kind: "append"; readonly select: string }
  | { readonly kind: "delete"; readonly ids: readonly number[] }
  | { readonly kind: "evolve"; readonly changes: readonly SchemaChange[] }
  | { readonly kind: "repartition"; readonly fields: readonly PartitionChoice[] }
  | {
      readonly kind: "read";
      readonly columns: readonly Column[];
      readonly snapshotId?: string;
      readonly where?: Where;
    };

interface Session {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
}

/** `namespace.table` */
const identifierOf = (table: string) => ({ namespace: [table.split(".")[0]!], name: table.split(".")[1]! });

async function run(session: Session, command: Command & { readonly table: string }): Promise<unknown[][]> {
  const { env, connection } = session;
  const identifier = identifierOf(command.table);
  if (command.kind === "create") {
    const { schema, spec: partitionSpec } = command;
    await env.catalog.createTable(identifier, { schema, partitionSpec, properties: {} });
    return [];
  }
  const table = await loadTable(env, identifier);
  switch (command.kind) {
    case "append": {
      const addedData = await stageRows(connection, { env, table, relationSql: command.select });
      await commitChange(env, table, { operation: "append", addedData });
      return [];
    }
    case "delete":
      await deleteRows(session, table, command.ids);
      return [];
    case "evolve":
      await changeSchema(env, table, command.changes);
      return [];
    case "repartition":
      await changePartitioning(env, table, command.fields);
      return [];
    case "read":
      return read(session, table, command);
  }
}

async function deleteRows({ env, connection }: Session, table: Table, ids: readonly number[]): Promise<void> {
  const plan = await planScan({ env, table, where: isIn("id", ids) });
  const options = { store: env.store, columns: ["id"], taskColumn: "file_at", positionColumn: "pos" };
  const relationSql = `SELECT file_at, pos FROM (${await scanSql(plan, options)})`;
  const dataFiles = plan.tasks.map((task) => task.file);
  const addedDeletes = await stagePositionDeletes(connection, { env, table, dataFiles, relationSql });
  await commitChange(env, table, { operation: "delete", addedDeletes });
}

async function read(
  { env, connection }: Session,
  table: Table,
  { columns, snapshotId, where }: Extract<Command, { kind: "read" }>,
): Promise<unknown[][]> {
  const plan = await planScan({
    env,
    table,
    snapshotId: snapshotId === undefined ? undefined : BigInt(snapshotId),
    where: where && predicate(columns, where),
  });
  const scan = await scanSql(plan, { store: env.store, columns: columns.map(({ name }) => name) });
  // The kernel gives decimals as doubles: here as text.
  const list = columns.map(({ name, type }) =>
    String(type).startsWith("decimal") ? `${sqlName(name)}::VARCHAR AS ${sqlName(name)}` : sqlName(name),
  );
  const rows = await connection.rows(`SELECT ${list.join(", ")} FROM (${scan})`);
  return rows.map((row) => columns.map(({ name }) => hexadecimal(row[name])));
}

const hexadecimal = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;

function predicate(columns: readonly Column[], [column, comparison, value]: Where): Predicate {
  const type = columns.find(({ name }) => name === column)!.type;
  return { op: comparison === "=" ? "eq" : "lt", column, value: literalOf(String(type), value) };
}

/** In Iceberg's own domain, as `Literal` wants it. */
function literalOf(type: string, value: string | number): Literal {
  const text = String(value);
  if (type === "long" || type === "int") return BigInt(text);
  if (type === "date") return Date.parse(text) / DAY_MS;
  if (type.startsWith("timestamp")) {
    const [seconds, fraction] = text.replace("Z", "").split(".");
    return BigInt(Date.parse(`${seconds}Z`)) * 1_000n + BigInt(fraction!);
  }
  return type.startsWith("decimal") ? BigInt(text.replace(".", "")) : value;
}

function toJson(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) => {
    if (typeof value === "bigint") return String(value);
    return typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)) ? numberText(value) : value;
  });
}

const numberText = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

const [uri, warehouse] = process.argv.slice(2);
const tempDir = await mkdtemp(join(tmpdir(), "firn-matrix-"));
const env = await openLake({ catalogUri: uri!, warehouse });
const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir });
const session: Session = { env, connection: await kernel.connect() };
process.stdout.write(`${toJson({ rows: [] })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const command = JSON.parse(Buffer.from(line, "base64").toString()) as Command & { table: string };
    process.stdout.write(`${toJson({ rows: await run(session, command) })}\n`);
  } catch (error) {
    process.stdout.write(`${toJson({ error: error instanceof Error ? error.message : String(error) })}\n`);
  }
}
session.connection.close();
kernel.close();
await rm(tempDir, { recursive: true, force: true });
