import { nonEmptyStringAt, objectAt, optionalAt, schemaAt, stringMapAt, viewVersionAt } from "@firn/lake";
import type { CreateViewRequest } from "../views/view-catalog.ts";

/** Bodies of view requests (REST specification); errors name the field and the rule. */

export function createViewAt(body: unknown): { name: string; request: CreateViewRequest } {
  const object = objectAt(body, "");
  const location = optionalAt(object["location"], "location", nonEmptyStringAt);
  return {
    name: nonEmptyStringAt(object["name"], "name"),
    request: {
      schema: schemaAt(object["schema"], "schema"),
      version: viewVersionAt(object["view-version"], "view-version"),
      ...(location === undefined ? {} : { location }),
      properties: optionalAt(object["properties"], "properties", stringMapAt) ?? {},
    },
  };
}

export function registerViewAt(body: unknown): { name: string; metadataLocation: string } {
  const object = objectAt(body, "");
  return {
    name: nonEmptyStringAt(object["name"], "name"),
    metadataLocation: nonEmptyStringAt(object["metadata-location"], "metadata-location"),
  };
}
