import { LakeError } from "../lake-error.ts";
import type { UnnumberedSchema } from "../metadata/schema.ts";
import type { ViewMetadata, ViewVersion } from "./view-metadata.ts";

/** One change of a view (REST specification, schema `ViewUpdate`). -1 in place of an id names the last one added. */
export type ViewUpdate =
  | { readonly action: "assign-uuid"; readonly uuid: string }
  | { readonly action: "upgrade-format-version"; readonly "format-version": number }
  | { readonly action: "add-schema"; readonly schema: UnnumberedSchema }
  | { readonly action: "add-view-version"; readonly "view-version": ViewVersion }
  | { readonly action: "set-current-view-version"; readonly "view-version-id": number }
  | { readonly action: "set-location"; readonly location: string }
  | { readonly action: "set-properties"; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: "remove-properties"; readonly removals: readonly string[] };

/** What a commit asserts about the view that it changes (REST specification, schema `ViewRequirement`). */
export interface ViewRequirement {
  readonly type: "assert-view-uuid";
  readonly uuid: string;
}

export interface ViewCommit {
  readonly requirements: readonly ViewRequirement[];
  readonly updates: readonly ViewUpdate[];
}

/** @throws LakeError `conflict` for the first that does not hold, in the words of Java's UpdateRequirement. */
export function checkViewRequirements(metadata: ViewMetadata, requirements: readonly ViewRequirement[]): void {
  for (const { type, uuid } of requirements) {
    if (uuid.toLowerCase() === metadata["view-uuid"].toLowerCase()) continue;
    const failure = `view UUID does not match: expected ${metadata["view-uuid"]} != ${uuid}`;
    throw new LakeError("conflict", `Requirement failed: ${failure}`, { context: { requirement: type } });
  }
}
