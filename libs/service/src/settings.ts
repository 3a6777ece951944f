import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** How a setting's text is read. `bytes` takes a whole number with an optional KiB, MiB or GiB. */
export type SettingType = "string" | "int" | "number" | "boolean" | "url" | "path" | "bytes";

type SettingValue = string | number | boolean;

/** One variable of the environment. Without `default` and `required` its absence reads as `undefined`. */
export interface Setting {
  readonly env: string;
  readonly type: SettingType;
  readonly default?: SettingValue;
  readonly required?: true;
  /** One sentence for `--help`. */
  readonly help: string;
  /** Secrets are never printed or logged. */
  readonly secret?: true;
  /** The only texts that are taken. */
  readonly choices?: readonly string[];
  /** Gives the rule that a `string` breaks, or undefined. */
  readonly check?: (text: string) => string | undefined;
  readonly min?: number;
  readonly max?: number;
}

type ValueOf<T extends Setting> = T["type"] extends "int" | "number" | "bytes"
  ? number
  : T["type"] extends "boolean"
    ? boolean
    : T extends { choices: readonly (infer C extends string)[] }
      ? C
      : string;

type ValuesOf<T extends Record<string, Setting>> = {
  readonly [K in keyof T]: T[K] extends { required: true } | { default: SettingValue }
    ? ValueOf<T[K]>
    : ValueOf<T[K]> | undefined;
};

/** A variable that cannot be used, and the rule that it breaks. Never holds the value. */
export interface SettingProblem {
  readonly env: string;
  readonly rule: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingsDefinition<S> {
  readonly settings: readonly Setting[];
  /** Reads every variable; throws a ConfigError that names all that are wrong. */
  parse(environment: Environment): S;
}

/** The environment does not fit; a process ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(problems.map((problem) => `${problem.env}: ${problem.rule}`).join("; "));
    this.problems = problems;
  }
}

/**
 * Declares the environment of a service: `{ natsUrl: { env: "NATS_URL", type: "url", required: true, help: "…" } }`.
 * The parsed object has the same keys with typed values.
 */
export function defineSettings<const T extends Record<string, Setting>>(spec: T): SettingsDefinition<ValuesOf<T>> {
  const entries = Object.entries<Setting>(spec);
  return {
    settings: entries.map(([, setting]) => setting),
    parse(environment) {
      const problems: SettingProblem[] = [];
      const values: Record<string, SettingValue | undefined> = {};
      for (const [key, setting] of entries) {
        const text = readVariable(setting.env, environment);
        const parsed = text.ok ? parseSetting(setting, text.value) : text;
        if (parsed.ok) values[key] = parsed.value;
        else problems.push({ env: setting.env, rule: parsed.rule });
      }
      if (problems.length > 0) throw new ConfigError(problems);
      return values as ValuesOf<T>;
    },
  };
}

type Text = { readonly ok: true; readonly value: string | undefined } | { readonly ok: false; readonly rule: string };

/**
 * The text of a variable. `NAME_FILE` may name a file that holds it instead, as secrets are mounted into containers;
 * white space at the file's end is dropped. Giving both is an error.
 */
export function readVariable(name: string, environment: Environment): Text {
  const value = environment[name];
  const path = environment[`${name}_FILE`];
  if (path === undefined || path === "") return { ok: true, value };
  if (value !== undefined && value !== "") return { ok: false, rule: `is set twice, by itself and by ${name}_FILE` };
  try {
    return { ok: true, value: readFileSync(path, "utf8").trimEnd() };
  } catch (error) {
    return { ok: false, rule: `cannot be read from ${name}_FILE: ${(error as NodeJS.ErrnoException).code}` };
  }
}

type Parsed = { readonly ok: true; readonly value: SettingValue | undefined } | { readonly ok: false; rule: string };

/** An empty text counts as absent: compose files and charts pass those for "not set". */
function parseSetting(setting: Setting, text: string | undefined): Parsed {
  if (text === undefined || text === "") {
    if (setting.required) return { ok: false, rule: "is required" };
    return setting.default === undefined
      ? { ok: true, value: undefined }
      : { ok: true, value: setting.type === "path" ? resolve(String(setting.default)) : setting.default };
  }
  const parsed = parseText(setting, text);
  return parsed.ok ? checkRange(setting, parsed) : parsed;
}

function parseText(setting: Setting, text: string): Parsed {
  switch (setting.type) {
    case "string":
      if (setting.choices && !setting.choices.includes(text)) {
        return { ok: false, rule: `must be one of ${setting.choices.join(", ")}` };
      }
      return checkText(setting, text);
    case "path":
      return { ok: true, value: resolve(text) };
    case "url":
      return text.split(",").every((part) => URL.canParse(part.trim()))
        ? { ok: true, value: text }
        : { ok: false, rule: "must be a URL with a scheme (several by comma)" };
    case "int":
      return /^-?\d{1,15}$/.test(text)
        ? { ok: true, value: Number(text) }
        : { ok: false, rule: "must be a whole number" };
    case "number":
      return text.trim() !== "" && Number.isFinite(Number(text))
        ? { ok: true, value: Number(text) }
        : { ok: false, rule: "must be a number" };
    case "boolean":
      if (text === "true" || text === "1") return { ok: true, value: true };
      if (text === "false" || text === "0") return { ok: true, value: false };
      return { ok: false, rule: "must be true or false" };
    case "bytes":
      return parseBytes(text);
  }
}

function checkText(setting: Setting, text: string): Parsed {
  const rule = setting.check?.(text);
  return rule === undefined ? { ok: true, value: text } : { ok: false, rule };
}

const BYTE_UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function parseBytes(text: string): Parsed {
  const match = /^(\d{1,15}) ?(KiB|MiB|GiB)?$/.exec(text);
  if (!match) return { ok: false, rule: "must be a size such as 1048576, 64MiB or 2GiB" };
  return { ok: true, value: Number(match[1]) * (BYTE_UNITS[match[2] ?? ""] ?? 1) };
}

function checkRange(setting: Setting, parsed: Parsed & { ok: true }): Parsed {
  if (typeof parsed.value !== "number") return parsed;
  if (setting.min !== undefined && parsed.value < setting.min)
    return { ok: false, rule: `must be at least ${setting.min}` };
  if (setting.max !== undefined && parsed.value > setting.max)
    return { ok: false, rule: `must be at most ${setting.max}` };
  return parsed;
}
