import type { Dataset, QuestionDefinition } from "@firn/core";

import type { DatasetSetting, SettingValues } from "./dataset-declaration.ts";

type Settings = Readonly<Record<string, DatasetSetting>>;

/** What any declaration has, whatever its settings are. */
interface AnyDeclaration {
  readonly questions: readonly QuestionDefinition[];
  readonly settings: Settings;
  create(values: never): Dataset;
}

type AllOf<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
type SettingsOf<D extends AnyDeclaration> = AllOf<D["settings"]> extends infer S extends Settings ? S : never;

/** What follows from a list of lakes. */
export interface DatasetRegistry<D extends AnyDeclaration> {
  /** What a site may choose of any of them. */
  readonly settings: SettingsOf<D>;
  /** The questions of all of them that a client knows by name and type. */
  readonly questions: readonly D["questions"][number][];
  /**
   * Every dataset by its name.
   * @param chosen what is absent has its default
   * @throws RangeError where values do not go together
   */
  create(chosen?: Partial<SettingValues<SettingsOf<D>>>): ReadonlyMap<string, Dataset>;
}

/**
 * What the lakes have together: their settings, their questions, and how all of them are made.
 * @throws Error where two of them have a setting, a variable or a name in common
 */
export function datasetRegistry<D extends AnyDeclaration>(declarations: readonly D[]): DatasetRegistry<D> {
  const entries = declarations.flatMap((declaration) => Object.entries<DatasetSetting>(declaration.settings));
  requireDistinct(
    "setting",
    entries.map(([key]) => key),
  );
  requireDistinct(
    "variable",
    entries.map(([, { env }]) => env),
  );
  const defaults = Object.fromEntries(entries.map(([key, setting]) => [key, setting.default]));
  const create: DatasetRegistry<D>["create"] = (chosen = {}) => {
    const values = { ...defaults, ...chosen } as never;
    return new Map(declarations.map((declaration) => declaration.create(values)).map((made) => [made.name, made]));
  };
  requireDistinct(
    "name",
    declarations.map((declaration) => declaration.create(defaults as never).name),
  );
  return {
    settings: Object.fromEntries(entries) as SettingsOf<D>,
    questions: declarations.flatMap(({ questions }) => questions),
    create,
  };
}

function requireDistinct(what: string, all: readonly string[]): void {
  const twice = all.find((one, at) => all.indexOf(one) !== at);
  if (twice !== undefined) throw new Error(`two lakes have the ${what} ${twice}`);
}
