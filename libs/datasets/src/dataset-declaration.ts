import type { Dataset, QuestionDefinition } from "@firn/core";

/** A variable of the environment by which a site chooses, in the shape that `defineSettings` of services takes. */
export type DatasetSetting = TextSetting | NumberSetting;

interface TextSetting {
  readonly env: string;
  readonly type: "string";
  readonly default: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Gives the rule that a text breaks, or undefined. */
  readonly check?: (text: string) => string | undefined;
}

interface NumberSetting {
  readonly env: string;
  readonly type: "int";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

type Settings = Readonly<Record<string, DatasetSetting>>;

type ValueOf<T extends DatasetSetting> = T extends { readonly choices: readonly (infer C)[] }
  ? C
  : T extends NumberSetting
    ? number
    : string;

export type SettingValues<S extends Settings> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** A dataset and what a site may choose of it: what stands in the registry. Keys of settings begin with its name. */
export interface DatasetDeclaration<S extends Settings, Q extends QuestionDefinition> {
  /** Definitions of its own questions, of which the client knows the types; `create` says how they are answered. */
  readonly questions: readonly Q[];
  readonly settings: S;
  /** @throws RangeError where values do not go together */
  create(values: SettingValues<S>): Dataset;
}

/** Keeps the literal types of settings and questions, of which those of `DatasetSettings` and of the client derive. */
export function declareDataset<const S extends Settings, Q extends QuestionDefinition = never>(
  declaration: DatasetDeclaration<S, Q>,
): DatasetDeclaration<S, Q> {
  return declaration;
}

/** Names stand in subjects of streams, locations of files and SQL. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;

/** A table's name by the environment. */
export function tableNameSetting(env: string, name: string, help: string) {
  const check = (text: string) => (NAME.test(text) ? undefined : "must be a name of letters, digits, _ and -");
  return { env, type: "string", default: name, help, check } as const;
}

/** A namespace's name by the environment. */
export function namespaceSetting(env: string, name: string, help: string) {
  const check = (text: string) =>
    text.split(".").every((level) => NAME.test(level))
      ? undefined
      : "must be names of letters, digits, _ and -, with dots between levels";
  return { env, type: "string", default: name, help: `${help}; a dot parts its levels.`, check } as const;
}
