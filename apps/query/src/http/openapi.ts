import {
  LIMIT_MAX,
  questionKey,
  questionPath,
  type AnswerColumn,
  type ParameterDefinition,
  type QuestionDefinition,
} from "@firn/client";
import { problemResponse, type OpenApiDocument } from "@firn/service";
import { columnSchema, jsonTypeOf, SHARED_SCHEMAS } from "./answer-schemas.ts";
import { PIPELINE_PARAMETERS } from "./pipeline-controller.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the query service, from the definitions of the questions. */
export function openApiDocument(version: string, questions: readonly QuestionDefinition[]): OpenApiDocument {
  return {
    openapi: "3.1.0",
    info: {
      title: "Firn questions",
      version,
      description:
        "Questions about the lakes, answered from Iceberg tables. Each one is also a NATS request: subject query.<lake>.<question>, body a JSON object of the parameters, reply the same body. Dates are inclusive at both ends; times are instants, start inclusive, end exclusive.",
    },
    paths: {
      ...Object.fromEntries(
        questions.map((question) => [
          questionPath(question),
          { [(question.method ?? "GET").toLowerCase()]: operation(question) },
        ]),
      ),
      "/api/pipeline": { get: PIPELINE_OPERATION },
    },
    components: { schemas: { ...Object.fromEntries(questions.flatMap(schemasOf)), ...SHARED_SCHEMAS } },
  };
}

const schemaName = ({ dataset, name }: QuestionDefinition): string =>
  [dataset, ...name.split("-")].map(capital).join("");
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function operation(question: QuestionDefinition): Json {
  return {
    operationId: questionKey(question).replaceAll(/[.-]/g, "_"),
    tags: [question.dataset],
    summary: question.summary,
    description: `${question.doc} Rows by ${question.order}. NATS: query.${questionKey(question)}.`,
    ...inputOf(question),
    responses: {
      "200": {
        description: "The answer; without data an empty list.",
        headers: {
          "firn-cursor": { description: "With CSV and Arrow: where the next page starts.", schema: { type: "string" } },
          "firn-meta": { description: "With CSV and Arrow: meta, page and stats as JSON.", schema: { type: "string" } },
        },
        content: {
          "application/json": { schema: ref(`${schemaName(question)}Answer`) },
          "text/csv": { schema: { type: "string" } },
          "application/vnd.apache.arrow.stream": { schema: { type: "string", format: "binary" } },
        },
      },
      "400": problemResponse("A parameter is wrong: errors names field and rule."),
      ...UNAUTHORIZED,
      ...Object.fromEntries(
        Object.entries(question.refusals ?? {}).map(([status, why]) => [status, problemResponse(why)]),
      ),
      "406": problemResponse("None of the forms in Accept is one of ours."),
      "503": problemResponse("Busy, too slow, the catalog is away, or a table is damaged (code table_unreadable)."),
    },
  };
}

const UNAUTHORIZED: Json = {
  "401": problemResponse("Where tokens are asked for: none came, or one that is not known or has expired."),
  "403": problemResponse("The token has not the scope query."),
};

/** Parameters of the path and the query string, or the body of a POST. */
function inputOf(question: QuestionDefinition): Json {
  const { parameters, path = "" } = question;
  if (question.method !== "POST") {
    return {
      parameters: parameters.map((definition) =>
        parameterObject(definition, path.includes(`{${definition.name}}`) ? "path" : "query"),
      ),
    };
  }
  const schema = {
    type: "object",
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(
      parameters.map((definition) => [
        definition.name,
        { ...parameterJsonSchema(definition), description: definition.doc },
      ]),
    ),
    additionalProperties: false,
  };
  return { requestBody: { required: true, content: { "application/json": { schema } } } };
}

function parameterObject(definition: ParameterDefinition, place: "path" | "query" = "query"): Json {
  return {
    name: definition.name,
    in: place,
    required: definition.required ?? false,
    description: definition.doc,
    schema: parameterJsonSchema(definition),
    // Lists travel as one value with commas.
    ...(isList(definition) ? { style: "form", explode: false } : {}),
    ...(definition.example === undefined ? {} : { example: exampleOf(definition) }),
  };
}

const isList = ({ kind }: ParameterDefinition): boolean => ["texts", "integers", "longs"].includes(kind);

function exampleOf(definition: ParameterDefinition): unknown {
  if (!isList(definition)) return definition.example;
  const items = String(definition.example).split(",");
  return definition.kind === "texts" ? items : items.map(Number);
}

function parameterJsonSchema(definition: ParameterDefinition): Json {
  const { min, max, itemsMax, choices } = definition;
  const byDefault = definition.default === undefined ? {} : { default: definition.default };
  const range = { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) };
  const list = { minItems: 1, ...(itemsMax === undefined ? {} : { maxItems: itemsMax }) };
  switch (definition.kind) {
    case "text":
    case "cursor":
      return { type: "string", minLength: 1, ...(max === undefined ? {} : { maxLength: max }), ...byDefault };
    case "texts":
      return { type: "array", items: { type: "string", minLength: 1 }, ...list, ...byDefault };
    case "integer":
      return { type: "integer", ...range, ...byDefault };
    case "number":
      return { type: "number", ...range, ...byDefault };
    case "integers":
      return { type: "array", items: { type: "integer", ...range }, ...list, ...byDefault };
    case "longs":
      return { type: "array", items: { type: ["integer", "string"], format: "int64" }, ...list, ...byDefault };
    case "choice":
      return { type: "string", enum: choices ?? [], ...byDefault };
    case "date":
      return { type: "string", format: "date", ...byDefault };
    case "instant":
      return { type: "string", format: "date-time", ...byDefault };
    case "snapshot_id":
      return { type: "string", pattern: "^[0-9]{1,19}$", ...byDefault };
  }
}

function schemasOf(question: QuestionDefinition): [string, Json][] {
  const name = schemaName(question);
  const answer = {
    type: "object",
    required: ["data", "meta", "page", "stats"],
    properties: {
      data: question.document ?? { type: "array", maxItems: LIMIT_MAX, items: ref(`${name}Row`) },
      meta: ref("AnswerMeta"),
      page: ref("Page"),
      stats: ref("AnswerStats"),
    },
  };
  const rows: [string, Json][] = question.document === undefined ? [[`${name}Row`, rowSchema(question)]] : [];
  return [...rows, [`${name}Answer`, answer]];
}

function rowSchema(question: QuestionDefinition): Json {
  const { columnsBy, columnsFrom } = question;
  if (columnsBy !== undefined)
    return { oneOf: Object.values(columnsBy.columns).map((columns) => objectSchema(columns)) };
  if (columnsFrom === undefined) return objectSchema(question.columns);
  return {
    ...objectSchema(question.columns),
    description: `One more property for each of ${columnsFrom.parameter}, null where it has no value; data_type where several are asked for.`,
    additionalProperties: { type: [...([jsonTypeOf(columnsFrom.type)["type"]].flat() as string[]), "string", "null"] },
  };
}

function objectSchema(columns: readonly AnswerColumn[]): Json {
  return {
    type: "object",
    required: columns.map((column) => column.name),
    properties: Object.fromEntries(columns.map((column) => [column.name, columnSchema(column)])),
  };
}

const PIPELINE_OPERATION: Json = {
  operationId: "pipeline",
  tags: ["pipeline"],
  summary: "How far the pipeline is",
  description: "Waits until everything that was acknowledged before the request is settled, or wait_ms have passed.",
  parameters: PIPELINE_PARAMETERS.map((parameter) => parameterObject(parameter)),
  responses: {
    "200": { description: "The state.", content: { "application/json": { schema: ref("Pipeline") } } },
    "400": problemResponse("A parameter is wrong."),
    ...UNAUTHORIZED,
    "503": problemResponse("The broker or the catalog is away."),
  },
};
