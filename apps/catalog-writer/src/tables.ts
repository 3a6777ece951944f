/**
 * Makes the namespaces and tables of the datasets where they are missing; those that are there stay as they are.
 */
import { type Dataset, pipelineIdProperty, type TableDefinition } from "@firn/core";
import { createTableRequest, definedIdentifier, isLakeError, type LakeEnvironment } from "@firn/lake";

export function tablesOf(dataset: Dataset): TableDefinition[] {
  return [dataset.raw, dataset.errors, ...dataset.rollups.map((rollup) => rollup.table)];
}

/** @returns the names of the tables that were made */
export async function ensureTables(env: LakeEnvironment, datasets: Iterable<Dataset>): Promise<string[]> {
  const made: string[] = [];
  const pipelineId = env.randomness.uuid();
  for (const dataset of datasets)
    for (const definition of tablesOf(dataset)) {
      const identifier = definedIdentifier(definition);
      if (await env.catalog.tableExists(identifier)) continue;
      if (!(await env.catalog.namespaceExists(identifier.namespace)))
        await ignoreExisting(env.catalog.createNamespace(identifier.namespace));
      const request = createTableRequest({
        ...definition,
        properties: { ...definition.properties, [pipelineIdProperty]: pipelineId },
      });
      await ignoreExisting(env.catalog.createTable(identifier, request));
      made.push(`${definition.namespace}.${definition.name}`);
    }
  return made;
}

/** Another process may make the same at the same time. */
async function ignoreExisting(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isLakeError(error, "already_exists")) throw error;
  }
}
