/**
 * The tables of datasets: finding and making them.
 */
import { pipelineIdProperty, STATE_VERSION, stateVersionProperty, type TableDefinition } from "@firn/core";
import {
  createTableRequest,
  currentSchema,
  definedIdentifier,
  isLakeError,
  type LakeEnvironment,
  LakeError,
  loadTable,
  type Table,
  type TableMetadata,
} from "@firn/lake";

/** Columns of the definition that the table has not. */
export function missingColumns(definition: TableDefinition, metadata: TableMetadata): string[] {
  const has = new Set(currentSchema(metadata).fields.map((field) => field.name));
  return definition.columns.map((column) => column.name).filter((name) => !has.has(name));
}

export async function findTable(env: LakeEnvironment, definition: TableDefinition): Promise<Table | undefined> {
  try {
    return await loadTable(env, definedIdentifier(definition));
  } catch (error) {
    if (isLakeError(error, "not_found")) return undefined;
    throw error;
  }
}

/**
 * The table, made when it is not there yet; another process may make the same at the same time.
 * @throws LakeError also where nobody knows whether it was made: as `unavailable`, because asking again finds it
 */
export async function makeTable(env: LakeEnvironment, definition: TableDefinition, pipelineId: string): Promise<Table> {
  const { catalog } = env;
  const identifier = definedIdentifier(definition);
  if (!(await catalog.namespaceExists(identifier.namespace)))
    await ignoreExisting(catalog.createNamespace(identifier.namespace));
  const state = { [pipelineIdProperty]: pipelineId, [stateVersionProperty]: String(STATE_VERSION) };
  const properties = { ...definition.properties, ...state };
  await ignoreExisting(catalog.createTable(identifier, createTableRequest({ ...definition, properties })));
  return loadTable(env, identifier);
}

async function ignoreExisting(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (isLakeError(error, "already_exists")) return;
    if (!isLakeError(error, "unknown_outcome")) throw error;
    throw new LakeError("unavailable", `cannot tell whether a table was made: ${error.message}`, { cause: error });
  }
}
