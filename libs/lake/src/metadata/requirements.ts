import { LakeError } from "../lake-error.ts";
import type { TableMetadata } from "./table-metadata.ts";

/** What a commit asserts about the table that it changes (REST specification, schema `TableRequirement`). */
export type TableRequirement =
  | { readonly type: "assert-create" }
  | { readonly type: "assert-table-uuid"; readonly uuid: string }
  | { readonly type: "assert-ref-snapshot-id"; readonly ref: string; readonly "snapshot-id": bigint | null }
  | { readonly type: "assert-last-assigned-field-id"; readonly "last-assigned-field-id": number }
  | { readonly type: "assert-current-schema-id"; readonly "current-schema-id": number }
  | { readonly type: "assert-last-assigned-partition-id"; readonly "last-assigned-partition-id": number }
  | { readonly type: "assert-default-spec-id"; readonly "default-spec-id": number }
  | { readonly type: "assert-default-sort-order-id"; readonly "default-sort-order-id": number };

/**
 * Checks each requirement against the table as it is; `undefined` stands for a table that does not exist.
 * @throws LakeError `conflict` for the first that does not hold, in the words of Java's UpdateRequirement.
 */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void {
  for (const requirement of requirements) {
    const failure = failureOf(metadata, requirement);
    if (failure !== undefined) {
      throw new LakeError("conflict", `Requirement failed: ${failure}`, { context: { requirement: requirement.type } });
    }
  }
}

function failureOf(metadata: TableMetadata | undefined, requirement: TableRequirement): string | undefined {
  if (requirement.type === "assert-create") return metadata === undefined ? undefined : "table already exists";
  if (metadata === undefined) return "table does not exist";
  switch (requirement.type) {
    case "assert-table-uuid":
      if (requirement.uuid.toLowerCase() === metadata["table-uuid"].toLowerCase()) return undefined;
      return `UUID does not match: expected ${metadata["table-uuid"]} != ${requirement.uuid}`;
    case "assert-ref-snapshot-id":
      return refFailure(metadata, requirement.ref, requirement["snapshot-id"]);
    case "assert-last-assigned-field-id":
      return changed("last assigned field id", requirement["last-assigned-field-id"], metadata["last-column-id"]);
    case "assert-current-schema-id":
      return changed("current schema", requirement["current-schema-id"], metadata["current-schema-id"]);
    case "assert-last-assigned-partition-id":
      return changed(
        "last assigned partition id",
        requirement["last-assigned-partition-id"],
        metadata["last-partition-id"],
      );
    case "assert-default-spec-id":
      return changed("default partition spec", requirement["default-spec-id"], metadata["default-spec-id"]);
    case "assert-default-sort-order-id":
      return changed("default sort order", requirement["default-sort-order-id"], metadata["default-sort-order-id"]);
  }
}

function refFailure(metadata: TableMetadata, name: string, expected: bigint | null): string | undefined {
  const ref = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (ref === undefined) {
    return expected === null ? undefined : `branch or tag ${name} is missing, expected ${expected}`;
  }
  if (expected === null) return `${ref.type} ${name} was created concurrently`;
  if (expected === ref["snapshot-id"]) return undefined;
  return `${ref.type} ${name} has changed: expected id ${expected} != ${ref["snapshot-id"]}`;
}

function changed(what: string, expected: number, actual: number): string | undefined {
  return expected === actual ? undefined : `${what} changed: expected id ${expected} != ${actual}`;
}
