import { LakeError } from "../lake-error.ts";
import type { NamespacePropertiesChange, NamespacePropertiesChanged } from "./catalog.ts";

/** Applies a change to a namespace's properties: the new properties, and what the answer says about the change. */
export function changedProperties(
  before: Readonly<Record<string, string>>,
  change: NamespacePropertiesChange,
): { properties: Record<string, string>; changed: NamespacePropertiesChanged } {
  const updates = change.updates ?? {};
  const removals = change.removals ?? [];
  const both = removals.filter((name) => Object.hasOwn(updates, name));
  if (both.length > 0) {
    throw new LakeError(
      "invalid",
      `Invalid namespace update, cannot simultaneously set and remove keys: [${both.join(", ")}]`,
      {
        context: { field: "removals", reason: "set_and_removed" },
      },
    );
  }
  const properties = new Map(Object.entries(before));
  const removed = removals.filter((name) => properties.delete(name));
  for (const [name, value] of Object.entries(updates)) properties.set(name, value);
  return {
    properties: Object.fromEntries(properties),
    changed: {
      updated: Object.keys(updates),
      removed,
      missing: removals.filter((name) => !removed.includes(name)),
    },
  };
}
