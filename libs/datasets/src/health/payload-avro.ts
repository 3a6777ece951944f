import type { AvroSchema } from "@firn/core";

import { fieldsOf, optionalField } from "../payload/avro-fields.ts";

/** A payload of health with the JSON's field names; times are strings as they are there. */
export const HEALTH_PAYLOAD_AVRO: AvroSchema = {
  type: "record",
  name: "HealthPayload",
  namespace: "firn.health",
  fields: [
    ...fieldsOf("string", "deviceId", "userId"),
    ...["timestamp", "appVersion"].map((name) => optionalField(name, "string")),
    optionalField("deleted", { type: "array", items: "string" }),
    {
      name: "samples",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "HealthSample",
          fields: [
            ...fieldsOf("string", "id", "type"),
            ...fieldsOf("double", "value"),
            ...fieldsOf("string", "unit", "startDate", "endDate"),
            ...["sourceBundle", "createdAt", "timezone"].map((name) => optionalField(name, "string")),
            optionalField("metadata", { type: "map", values: "string" }),
            optionalField("isSynced", "boolean"),
            optionalField("timezoneOffset", "int"),
          ],
        },
      },
    },
  ],
};
