import type { LiveFile, PartitionValue } from "../manifest/data-file.ts";
import { nameMapping, type NameMapping } from "../metadata/name-mapping.ts";
import { specById, type TableMetadata } from "../metadata/table-metadata.ts";

/** What a table says of how its files are to be read, beside their own footers. */
export interface ReadingRules {
  /** Names of columns in files without field ids. */
  readonly names: NameMapping | undefined;
  /**
   * The value that every row of the file has in a column, when its partition says so: an identity field of that column
   * (specification, "Column Projection"). undefined: the partition does not say.
   */
  partitionValue(file: LiveFile, fieldId: number): PartitionValue | undefined;
}

export function readingRules(metadata: TableMetadata): ReadingRules {
  const identityFields = new Map<number, ReadonlyMap<number, string>>();
  const fieldsOf = (specId: number): ReadonlyMap<number, string> => {
    const known = identityFields.get(specId);
    if (known !== undefined) return known;
    const fields = specById(metadata, specId).fields.filter((field) => field.transform === "identity");
    const names = new Map(fields.map((field) => [field["source-id"], field.name]));
    identityFields.set(specId, names);
    return names;
  };
  return {
    names: nameMapping(metadata.properties),
    partitionValue: (file, fieldId) => {
      const name = fieldsOf(file.specId).get(fieldId);
      return name === undefined ? undefined : (file.partition[name] ?? null);
    },
  };
}
