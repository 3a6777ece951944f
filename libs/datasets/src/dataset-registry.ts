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
 * What the lakes have together: their settings, their questions, and how all of them are made. Names are theirs alone.
 */
export function datasetRegistry<D extends AnyDeclaration>(declarations: readonly D[]): DatasetRegistry<D> {
  const settings: Settings = Object.assign({}, ...declarations.map((declaration) => declaration.settings));
  const defaults = Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, setting.default]));
  return {
    settings: settings as SettingsOf<D>,
    questions: declarations.flatMap(({ questions }) => questions),
    create: (chosen = {}) => {
      const values = { ...defaults, ...chosen } as never;
      return new Map(declarations.map(({ create }) => create(values)).map((dataset) => [dataset.name, dataset]));
    },
  };
}
