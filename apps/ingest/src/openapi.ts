import { problemResponse, type OpenApiDocument } from "@firn/service";
import { BODY_BYTES_MAX, NESTING_DEPTH_MAX, RECORDS_PER_PAYLOAD_MAX } from "./limits.ts";

/** The description of the ingest API, OpenAPI 3.1. */
export function ingestOpenApi(datasetNames: readonly string[], version: string): OpenApiDocument {
  return {
    openapi: "3.1.0",
    info: { title: "Firn ingest", version, description: "Takes events in. Accepted means on disk in the broker." },
    servers: [{ url: "/" }],
    paths: { "/v1/ingest/{dataset}": { post: ingestOperation(datasetNames) } },
    components: { schemas: { HealthPayload: HEALTH_PAYLOAD } },
  };
}

function ingestOperation(datasetNames: readonly string[]) {
  const payload = { $ref: "#/components/schemas/HealthPayload" };
  return {
    operationId: "ingest",
    summary: "Send payloads of a dataset",
    description:
      "One payload, an array of payloads, or one payload a line; gzip is welcome. The request is accepted whole or " +
      `not at all. At most ${BODY_BYTES_MAX} bytes unpacked, ${RECORDS_PER_PAYLOAD_MAX} records in a payload, ` +
      `${NESTING_DEPTH_MAX} levels of nesting. Bad records of a good payload are accepted and end in the errors table.`,
    parameters: [
      { name: "dataset", in: "path", required: true, schema: { type: "string", enum: [...datasetNames] } },
      {
        name: "Content-Encoding",
        in: "header",
        required: false,
        schema: { type: "string", enum: ["gzip", "identity"] },
      },
    ],
    requestBody: {
      required: true,
      content: {
        "application/json": { schema: { anyOf: [payload, { type: "array", minItems: 1, items: payload }] } },
        "application/x-ndjson": { schema: { type: "string", description: "One payload a line." } },
      },
    },
    responses: INGEST_RESPONSES,
  };
}

const INGEST_RESPONSES = {
  "202": {
    description: "Every payload is on disk in the broker.",
    content: {
      "application/json": {
        schema: {
          type: "object",
          required: ["receipt", "payloads"],
          properties: {
            receipt: { type: "string", description: "Opaque; names where the request lies in the log." },
            payloads: { type: "integer", minimum: 1 },
          },
        },
      },
    },
  },
  "400": problemResponse("Broken JSON, not UTF-8, too deep, or a wrong envelope; names line or index, field and rule."),
  "404": problemResponse("No such dataset."),
  "413": problemResponse("The body or a payload is too large."),
  "415": problemResponse("Another content type or encoding than the ones named here."),
  "503": {
    ...problemResponse("The broker is away, full or did not answer, or the service is overloaded. Send again."),
    headers: { "Retry-After": { schema: { type: "integer" }, description: "Seconds to wait." } },
  },
};

const HEALTH_PAYLOAD = {
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
      maxItems: RECORDS_PER_PAYLOAD_MAX,
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
} as const;
