/**
 * The parameters of questions, as data: validation, the OpenAPI document, the text of `/docs` and the types of the
 * client all derive from these definitions.
 */

export type ParameterKind =
  /** Any text but the empty one. */
  | "text"
  /** Texts separated by commas. */
  | "texts"
  /** A whole number within `min` and `max`. */
  | "integer"
  /** A number within `min` and `max`, a fraction too. */
  | "number"
  /** Whole numbers separated by commas, each within `min` and `max`. */
  | "integers"
  /** Whole numbers of 64 bits separated by commas; texts, where they are beyond 2^53. */
  | "longs"
  /** One of `choices`. */
  | "choice"
  /** A calendar date, YYYY-MM-DD. */
  | "date"
  /** An instant: ISO 8601 with `Z` or an offset, at most microseconds. */
  | "instant"
  /** Where the page before ended: what `page.cursor` said. */
  | "cursor"
  /** The id of a table snapshot: a 64-bit number, written as text. */
  | "snapshot_id";

/** What a parameter is once it was checked: an instant is microseconds, a date is text, a list is an array. */
export type ParameterValue = string | number | bigint | readonly string[] | readonly number[] | readonly bigint[];

export interface ParameterDefinition {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  readonly min?: number;
  /** Of a text the most characters. */
  readonly max?: number;
  /** The most items of a list. */
  readonly itemsMax?: number;
  readonly default?: string | number;
  /** One sentence for a person who asks. */
  readonly doc: string;
  readonly example?: string | number;
}

/** What holds between the parameters of one question. */
export type ParameterRule =
  /** `from` is not after `to`. */
  | { readonly kind: "ordered"; readonly from: string; readonly to: string }
  /** Parameters of at most one of the groups are given. */
  | { readonly kind: "exclusive"; readonly groups: readonly (readonly string[])[] }
  /** `parameter` may name one of `values` only when `other` is one of `otherIn`. */
  | {
      readonly kind: "only_with";
      readonly parameter: string;
      readonly values: readonly string[];
      readonly other: string;
      readonly otherIn: readonly string[];
    };

interface ValueOfKind {
  text: string;
  texts: string | readonly string[];
  integer: number;
  number: number;
  integers: number | readonly number[];
  longs: number | string | readonly (number | string)[];
  choice: string;
  date: string;
  instant: string | Date;
  cursor: string;
  snapshot_id: string;
}

/** What a caller in TypeScript gives for a parameter. */
export type ParameterInput<P extends ParameterDefinition> = P extends {
  readonly kind: "choice";
  readonly choices: readonly (infer C)[];
}
  ? C
  : ValueOfKind[P["kind"]];

type Named<P extends readonly ParameterDefinition[], N extends string> = Extract<P[number], { readonly name: N }>;
type RequiredNames<P extends readonly ParameterDefinition[]> = Extract<P[number], { readonly required: true }>["name"];

/** The parameters object of a question. */
export type ParametersInput<P extends readonly ParameterDefinition[]> = {
  readonly [N in RequiredNames<P>]: ParameterInput<Named<P, N>>;
} & {
  readonly [N in Exclude<P[number]["name"], RequiredNames<P>>]?: ParameterInput<Named<P, N>> | undefined;
};
