import type { Dataset, JsonSchema } from "@firn/core";
import { problemResponse, type OpenApiDocument } from "@firn/service";
import { BODY_BYTES_MAX, NESTING_DEPTH_MAX, RECORDS_PER_PAYLOAD_MAX } from "./limits.ts";

/** The description of the ingest API, OpenAPI 3.1: one operation for each dataset. */
export function ingestOpenApi(datasets: Iterable<Dataset>, version: string): OpenApiDocument {
  const all = [...datasets];
  return {
    openapi: "3.1.0",
    info: { title: "Firn ingest", version, description: "Takes events in. Accepted means on disk in the broker." },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(all.map(({ name }) => [`/v1/ingest/${name}`, { post: ingestOperation(name) }])),
    components: {
      schemas: Object.fromEntries(all.map((dataset) => [schemaName(dataset.name), payloadSchema(dataset)])),
    },
  };
}

/** `health` → `HealthPayload`. */
function schemaName(dataset: string): string {
  const words = dataset.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return `${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("")}Payload`;
}

/** The dataset's own schema, with the limit that is kept here. */
function payloadSchema({ payload: { records, schema } }: Dataset): JsonSchema {
  const properties = schema["properties"] as Readonly<Record<string, JsonSchema>>;
  const limited = { ...properties[records], maxItems: RECORDS_PER_PAYLOAD_MAX };
  return { ...schema, properties: { ...properties, [records]: limited } };
}

function ingestOperation(dataset: string) {
  const payload = { $ref: `#/components/schemas/${schemaName(dataset)}` };
  return {
    operationId: `ingest_${dataset}`,
    summary: `Send payloads of ${dataset}`,
    description:
      "One payload, an array of payloads, or one payload a line; gzip is welcome. The request is accepted whole or " +
      `not at all. At most ${BODY_BYTES_MAX} bytes unpacked, ${RECORDS_PER_PAYLOAD_MAX} records in a payload, ` +
      `${NESTING_DEPTH_MAX} levels of nesting. Bad records of a good payload are accepted and end in the errors table.`,
    parameters: [
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
  "401": problemResponse("Where tokens are asked for: none came, or one that is not known or has expired."),
  "403": problemResponse("The token has not the scope ingest."),
  "404": problemResponse("No such dataset."),
  "413": problemResponse("The body or a payload is too large."),
  "415": problemResponse("Another content type or encoding than the ones named here."),
  "429": {
    ...problemResponse(
      "More requests than this sender may send (FIRN_INGEST_REQUESTS_PER_SECOND). Nothing was stored.",
    ),
    headers: { "Retry-After": { schema: { type: "integer" }, description: "Seconds to wait." } },
  },
  "503": {
    ...problemResponse("The broker is away, full or did not answer, or the service is overloaded. Send again."),
    headers: { "Retry-After": { schema: { type: "integer" }, description: "Seconds to wait." } },
  },
};
