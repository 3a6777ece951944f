import type { JsonSchema } from "@firn/core";

/** What a phone sends at a sync. Its samples are not described as required: a bad one does not refuse the payload. */
export const HEALTH_PAYLOAD_SCHEMA: JsonSchema = {
  type: "object",
  required: ["deviceId", "userId", "samples"],
  properties: {
    deviceId: { type: "string", minLength: 1 },
    userId: { type: "string", minLength: 1 },
    timestamp: { type: "string", format: "date-time" },
    appVersion: { type: "string" },
    deleted: { type: "array", items: { type: "string" }, description: "Ids of samples to delete." },
    samples: {
      type: "array",
      items: {
        type: "object",
        description: "Not checked here: a sample that breaks a rule ends in the errors table.",
        properties: {
          id: { type: "string" },
          type: { type: "string", examples: ["heartRate"] },
          value: { type: "number" },
          unit: { type: "string", examples: ["count/min"] },
          startDate: { type: "string", format: "date-time" },
          endDate: { type: "string", format: "date-time" },
          sourceBundle: { type: "string" },
          metadata: { type: "object", additionalProperties: { type: "string" } },
          isSynced: { type: "boolean" },
          createdAt: { type: "string", format: "date-time" },
          timezone: { type: "string", examples: ["Europe/Berlin"] },
          timezoneOffset: { type: "integer", minimum: -1080, maximum: 1080 },
        },
      },
    },
  },
};
