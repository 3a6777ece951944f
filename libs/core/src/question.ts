import type { JsonSchema } from "./dataset.ts";
import type { ParameterDefinition, ParameterRule, ParametersInput } from "./question-parameter.ts";

/** Types of answer columns; the names are Iceberg's. */
export type AnswerType =
  "string" | "boolean" | "int" | "long" | "double" | "date" | "timestamptz" | "map<string,string>";

export interface AnswerColumn {
  readonly name: string;
  readonly type: AnswerType;
  /** True where a row may have null. */
  readonly optional?: boolean;
  readonly doc?: string;
}

/**
 * One question that the query service answers: `GET /api/<dataset>/<name>` and NATS `query.<dataset>.<name>`.
 * How it is answered is the service's business; this is what a caller may rely on.
 */
export interface QuestionDefinition {
  readonly dataset: string;
  readonly name: string;
  /** The lake that it asks, where that is not `dataset`. */
  readonly lake?: string;
  /** Path below `/api/` where it is not `<dataset>/<name>`; a part in braces is the parameter of that name. */
  readonly path?: string;
  /** Default GET. The body of a POST is a JSON object of the parameters. */
  readonly method?: "GET" | "POST";
  readonly summary: string;
  readonly doc: string;
  readonly parameters: readonly ParameterDefinition[];
  readonly rules: readonly ParameterRule[];
  /** Columns of an answer's rows, in the order of CSV and Arrow. */
  readonly columns: readonly AnswerColumn[];
  /** JSON Schema of `data`, where that is one object and not a list of rows; CSV and Arrow still have `columns`. */
  readonly document?: JsonSchema;
  /** The name of a list parameter of which each item is one more column, of this type, null where there is nothing. */
  readonly columnsFrom?: { readonly parameter: string; readonly type: AnswerType };
  /** Where the value of a choice parameter decides which columns the rows have; `columns` are those of its default. */
  readonly columnsBy?: {
    readonly parameter: string;
    readonly columns: Readonly<Record<string, readonly AnswerColumn[]>>;
  };
  /** The order of the rows, in words. */
  readonly order: string;
  /** Statuses of HTTP that refuse what every other question answers, each with why, in words. */
  readonly refusals?: Readonly<Record<number, string>>;
}

interface ValueOfType {
  string: string;
  boolean: boolean;
  int: number;
  /** Text beyond 2^53. */
  long: number | string;
  double: number;
  /** YYYY-MM-DD */
  date: string;
  /** ISO 8601 with Z, microseconds kept where present. */
  timestamptz: string;
  "map<string,string>": Record<string, string>;
}

type ColumnValue<C extends AnswerColumn> = C extends { readonly optional: true }
  ? ValueOfType[C["type"]] | null
  : ValueOfType[C["type"]];

type FixedColumns<C extends readonly AnswerColumn[]> = {
  readonly [N in C[number]["name"]]: ColumnValue<Extract<C[number], { readonly name: N }>>;
};

/** A row of the answer to a question. */
export type RowOf<Q extends QuestionDefinition> = Q extends { readonly columnsFrom: { readonly type: infer T } }
  ? FixedColumns<Q["columns"]> & { readonly [name: string]: ValueOfType[T & AnswerType] | string | number | null }
  : Q extends { readonly columnsBy: { readonly columns: infer C } }
    ? { [K in keyof C]: FixedColumns<C[K] & readonly AnswerColumn[]> }[keyof C]
    : FixedColumns<Q["columns"]>;

declare const DOCUMENT: unique symbol;

/** A JSON Schema of which the compiler knows what it describes. */
export type DocumentSchema<T> = JsonSchema & { readonly [DOCUMENT]: T };

/** Says what a document's schema describes. */
export function documentSchema<T>(schema: JsonSchema): DocumentSchema<T> {
  return schema as DocumentSchema<T>;
}

/** What `data` is where it is one object, else never. */
export type DocumentOf<Q extends QuestionDefinition> = Q extends { readonly document: DocumentSchema<infer T> }
  ? T
  : never;

/** The parameters that a question takes. */
export type ParametersOf<Q extends QuestionDefinition> = ParametersInput<Q["parameters"]>;

/** Parameters that every question takes: which state of its table it is asked of. */
export const TIME_TRAVEL = [
  {
    name: "as_of",
    kind: "instant",
    doc: "Answer from the table as it was at this instant.",
    example: "2026-01-31T12:00:00Z",
  },
  { name: "snapshot_id", kind: "snapshot_id", doc: "Answer from this snapshot of the table." },
] as const satisfies readonly ParameterDefinition[];

const TIME_TRAVEL_RULE = { kind: "exclusive", groups: [["as_of"], ["snapshot_id"]] } as const;

/** The most rows of one page. */
export const LIMIT_MAX = 10_000;

/** A definition with the parameters that every question takes. */
type WithTimeTravel<Q extends QuestionDefinition> = Omit<Q, "parameters" | "rules"> & {
  readonly parameters: readonly [...Q["parameters"], ...typeof TIME_TRAVEL];
  readonly rules: QuestionDefinition["rules"];
};

/** Makes a definition; its literal types are what the client's types derive from. */
export function defineQuestion<const Q extends QuestionDefinition>(question: Q): WithTimeTravel<Q> {
  const { parameters, rules, ...rest } = question;
  return { ...rest, parameters: [...parameters, ...TIME_TRAVEL] as never, rules: [...rules, TIME_TRAVEL_RULE] };
}

/** Path of a question below the address of the service, with its parameters in braces. */
export function questionPath({ dataset, name, path }: Pick<QuestionDefinition, "dataset" | "name" | "path">): string {
  return `/api/${path ?? `${dataset}/${name}`}`;
}

/** `health.daily`, as a type. */
export type QuestionKeyOf<Q extends QuestionDefinition> = Q extends QuestionDefinition
  ? `${Q["dataset"]}.${Q["name"]}`
  : never;

/** `health.daily`: how a question is named in code and, after `query.`, as a NATS subject. */
export function questionKey(question: Pick<QuestionDefinition, "dataset" | "name">): string {
  return `${question.dataset}.${question.name}`;
}
