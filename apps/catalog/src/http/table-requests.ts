import {
  arrayAt,
  booleanAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  optionalAt,
  partitionSpecAt,
  schemaAt,
  sortOrderAt,
  stringAt,
  stringMapAt,
  tableCommitAt,
  type CreateTableRequest,
  type TableIdentifier,
} from "@firn/lake";
import type { TableChange } from "../tables/table-catalog.ts";

/** Bodies of table requests (REST specification); errors name the field and the rule. */

export interface NamedCreateRequest {
  readonly name: string;
  readonly stage: boolean;
  readonly request: CreateTableRequest;
}

export function createTableAt(body: unknown): NamedCreateRequest {
  const object = objectAt(body, "");
  const spec = optionalAt(object["partition-spec"], "partition-spec", partitionSpecAt);
  const order = optionalAt(object["write-order"], "write-order", sortOrderAt);
  const location = optionalAt(object["location"], "location", nonEmptyStringAt);
  return {
    name: nonEmptyStringAt(object["name"], "name"),
    stage: optionalAt(object["stage-create"], "stage-create", booleanAt) ?? false,
    request: {
      schema: schemaAt(object["schema"], "schema"),
      ...(spec === undefined ? {} : { partitionSpec: spec }),
      ...(order === undefined ? {} : { sortOrder: order }),
      ...(location === undefined ? {} : { location }),
      properties: optionalAt(object["properties"], "properties", stringMapAt) ?? {},
    },
  };
}

export function registerTableAt(body: unknown): { name: string; metadataLocation: string; overwrite: boolean } {
  const object = objectAt(body, "");
  return {
    name: nonEmptyStringAt(object["name"], "name"),
    metadataLocation: nonEmptyStringAt(object["metadata-location"], "metadata-location"),
    overwrite: optionalAt(object["overwrite"], "overwrite", booleanAt) ?? false,
  };
}

/** Of a table or a view. */
export function renameAt(body: unknown): { source: TableIdentifier; destination: TableIdentifier } {
  const object = objectAt(body, "");
  return {
    source: identifierAt(object["source"], "source"),
    destination: identifierAt(object["destination"], "destination"),
  };
}

export function transactionAt(body: unknown): TableChange[] {
  const changes = objectAt(body, "")["table-changes"];
  return listAt(changes, "table-changes", (change, path) => ({
    identifier: identifierAt(objectAt(change, path)["identifier"], `${path}.identifier`),
    ...tableCommitAt(change, path),
  }));
}

function identifierAt(value: unknown, path: string): TableIdentifier {
  const identifier = objectAt(value, path);
  return {
    namespace: arrayAt(identifier["namespace"], `${path}.namespace`).map((level) =>
      stringAt(level, `${path}.namespace`),
    ),
    name: nonEmptyStringAt(identifier["name"], `${path}.name`),
  };
}
