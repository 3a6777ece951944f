import { AVRO_DEFINITIONS } from "@firn/core";

/** What a registry says of a schema id: the schema's text, or why there is none to use. Neither ever changes. */
export type SchemaAnswer =
  { readonly ok: true; readonly schema: string } | { readonly ok: false; readonly message: string };

/** The registry did not give an answer that could be believed: asking again may help, and nothing else does. */
export class RegistryUnavailable extends Error {
  override readonly name = "RegistryUnavailable";
}

/** Looks schemas up. @throws RegistryUnavailable */
export interface SchemaRegistry {
  schema(id: number): Promise<SchemaAnswer>;
}

export interface RegistryOptions {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const TIMEOUT_MS = 5_000;
const SCHEMA_BYTES_MAX = 1024 * 1024;
const CACHED_MAX = 4_096;
/** An id that is unknown may be one that a replica of the registry does not know yet. */
const UNKNOWN_KEPT_MS = 30_000;
/** Confluent's error code of an id that it does not know. */
const SCHEMA_NOT_FOUND = 40_403;
/** Schemas that a schema may refer to, directly or not. */
const REFERENCES_MAX = 64;

interface RegistryReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface RegistrySchema {
  readonly schema?: unknown;
  readonly schemaType?: unknown;
  readonly references?: readonly RegistryReference[];
}

/**
 * Confluent's schema registry API (`GET /schemas/ids/ID`,
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html), and those that speak it. Answers are
 * cached: a schema for good, that an id is unknown for half a minute. The addresses of `url` (by comma) are tried in
 * their order.
 */
export class ConfluentRegistry implements SchemaRegistry {
  readonly #addresses: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;
  readonly #answers = new Map<number, { answer: SchemaAnswer; untilMs: number }>();
  readonly #asking = new Map<number, Promise<SchemaAnswer>>();

  constructor({ url, username, password }: RegistryOptions) {
    this.#addresses = url.split(",").map((part) => part.trim().replace(/\/+$/, ""));
    const credentials = Buffer.from(`${username ?? ""}:${password ?? ""}`).toString("base64");
    this.#headers = {
      accept: "application/vnd.schemaregistry.v1+json, application/json",
      ...(username !== undefined && { authorization: `Basic ${credentials}` }),
    };
  }

  async schema(id: number): Promise<SchemaAnswer> {
    const known = this.#answers.get(id);
    if (known !== undefined && performance.now() < known.untilMs) return known.answer;
    let asking = this.#asking.get(id);
    if (asking === undefined) {
      asking = this.#look(id).finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return asking;
  }

  async #look(id: number): Promise<SchemaAnswer> {
    const found = await this.#get(`/schemas/ids/${id}`);
    const answer: SchemaAnswer =
      found === undefined
        ? { ok: false, message: `schema ${id} is unknown to the schema registry` }
        : await this.#usable(id, found);
    if (this.#answers.size >= CACHED_MAX) this.#answers.clear();
    this.#answers.set(id, { answer, untilMs: answer.ok ? Infinity : performance.now() + UNKNOWN_KEPT_MS });
    return answer;
  }

  async #usable(id: number, { schema, schemaType, references = [] }: RegistrySchema): Promise<SchemaAnswer> {
    if (schemaType !== undefined && schemaType !== "AVRO") {
      return { ok: false, message: `schema ${id} is of type ${String(schemaType)}: it must be AVRO` };
    }
    if (typeof schema !== "string") throw new RegistryUnavailable(`the registry's answer for schema ${id} has none`);
    const whole = references.length === 0 ? schema : await this.#withReferences(schema, references);
    if (whole === undefined) return { ok: false, message: `a schema that schema ${id} refers to is unknown` };
    if (Buffer.byteLength(whole) > SCHEMA_BYTES_MAX) {
      return { ok: false, message: `schema ${id} is longer than ${SCHEMA_BYTES_MAX} bytes` };
    }
    return { ok: true, schema: whole };
  }

  /** One schema that brings along everything it names; undefined where something of that is not to be had. */
  async #withReferences(schema: string, references: readonly RegistryReference[]): Promise<string | undefined> {
    const definitions: unknown[] = [];
    const seen = new Set<string>();
    const collect = async (list: readonly RegistryReference[]): Promise<boolean> => {
      for (const { subject, version } of list) {
        const key = `${subject}/${version}`;
        if (seen.has(key)) continue;
        if (seen.size >= REFERENCES_MAX) return false;
        seen.add(key);
        const found = await this.#get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`);
        if (found === undefined || typeof found.schema !== "string") return false;
        if (!(await collect(found.references ?? []))) return false;
        definitions.push(parseObject(found.schema));
      }
      return true;
    };
    if (!(await collect(references))) return undefined;
    return JSON.stringify({ type: parseObject(schema), [AVRO_DEFINITIONS]: definitions });
  }

  /** The registry's answer, or undefined where it knows no such thing. */
  async #get(path: string): Promise<RegistrySchema | undefined> {
    let failure: unknown;
    for (const address of this.#addresses) {
      try {
        return await this.#ask(`${address}${path}`);
      } catch (error) {
        failure = error;
      }
    }
    if (failure instanceof RegistryUnavailable) throw failure;
    throw new RegistryUnavailable("the schema registry did not answer", { cause: failure });
  }

  async #ask(url: string): Promise<RegistrySchema | undefined> {
    const response = await fetch(url, { headers: this.#headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    const body = parseObject(text);
    if (response.ok && body !== undefined) return body;
    // A 404 of anything else (a wrong path, a proxy) says nothing of the schema.
    const { error_code: code } = (body ?? {}) as { error_code?: unknown };
    if (response.status === 404 && (code === SCHEMA_NOT_FOUND || code === 40_401 || code === 40_402)) return undefined;
    throw new RegistryUnavailable(`the schema registry answered ${response.status}`);
  }
}

function parseObject(text: string): RegistrySchema | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as RegistrySchema) : undefined;
  } catch {
    return undefined;
  }
}
