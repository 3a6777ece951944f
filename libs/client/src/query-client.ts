import type { PipelineStatus } from "./contract/answer.ts";
import { questionPath, type QuestionDefinition } from "@firn/core";
import {
  questionOfSubject,
  type QuestionKey,
  type QuestionParameters,
  type QuestionReply,
  type QuestionRow,
  type RowsQuestionKey,
} from "./contract/registry.ts";
import { httpSender, parseJsonBody, type HttpAnswer, type HttpOptions } from "./http.ts";

export interface AskOptions {
  readonly signal?: AbortSignal;
}

/** Asks questions; over HTTP or NATS it is the same. */
export interface QuestionAsker {
  /** One page of the answer. */
  ask<K extends QuestionKey>(
    question: K,
    parameters: QuestionParameters<K>,
    options?: AskOptions,
  ): Promise<QuestionReply<K>>;
  /** Every row, page by page, all from the snapshot that the first page named. */
  rows<K extends RowsQuestionKey>(
    question: K,
    parameters: QuestionParameters<K>,
    options?: AskOptions,
  ): AsyncGenerator<QuestionRow<K>>;
}

export type TableFormat = "text/csv" | "application/vnd.apache.arrow.stream";

export interface FormattedAnswer {
  readonly bytes: Uint8Array;
  /** Where the next page starts; null on the last one. */
  readonly cursor: string | null;
}

export interface QueryClient extends QuestionAsker {
  /** The same answer as CSV or as an Arrow IPC stream. */
  askFor<K extends QuestionKey>(
    question: K,
    parameters: QuestionParameters<K>,
    format: TableFormat,
    options?: AskOptions,
  ): Promise<FormattedAnswer>;
  /** How far the pipeline is; waits up to `waitMs` for it to settle. */
  pipeline(options?: { readonly waitMs?: number; readonly signal?: AbortSignal }): Promise<PipelineStatus>;
}

/** What a POST stores it waits for. */
const POST_TIMEOUT_MS = 180_000;

/** @param url the address of the query service, `http://127.0.0.1:4200` */
export function queryClient(url: string, options: HttpOptions = {}): QueryClient {
  const send = httpSender(options);

  function get(question: string, parameters: object, accept: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const { method, address, body } = requestOf(url, question, parameters);
    if (body === undefined) return send({ method, url: address, headers: { accept }, signal });
    const headers = { accept, "content-type": "application/json" };
    return send({ method, url: address, headers, body, signal, timeoutMs: POST_TIMEOUT_MS });
  }

  const ask: QuestionAsker["ask"] = async (question, parameters, call) => {
    const answer = await get(question, parameters, "application/json", call?.signal);
    return parseJsonBody(answer, question);
  };
  return {
    ask,
    rows: (question, parameters, call) => pages(ask, question, parameters, call),
    askFor: async (question, parameters, format, call) => {
      const answer = await get(question, parameters, format, call?.signal);
      return { bytes: answer.bytes, cursor: answer.headers.get("firn-cursor") };
    },
    pipeline: async ({ waitMs, signal } = {}) => {
      const address = new URL("/api/pipeline", url);
      if (waitMs !== undefined) address.searchParams.set("wait_ms", String(waitMs));
      const answer = await send({ method: "GET", url: address.href, signal, timeoutMs: (waitMs ?? 0) + 30_000 });
      return parseJsonBody<PipelineStatus>(answer, address.href);
    },
  };
}

/** Where and how a question is asked: parameters go into the path, the query string, or the body of a POST. */
function requestOf(url: string, question: string, parameters: object) {
  // A question of a lake that is not in the registry is asked at the path that its name says.
  const [dataset = "", name = ""] = question.split(".", 2);
  const definition: Pick<QuestionDefinition, "dataset" | "name" | "path" | "method"> = questionOfSubject(question) ?? {
    dataset,
    name,
  };
  const plain = plainParameters(parameters);
  const path = questionPath(definition).replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(plain[name]));
    delete plain[name];
    return value;
  });
  const address = new URL(path, url);
  if (definition.method === "POST") {
    return { method: "POST", address: address.href, body: JSON.stringify(plain) } as const;
  }
  for (const [name, value] of Object.entries(plain)) address.searchParams.set(name, String(value));
  return { method: "GET", address: address.href, body: undefined } as const;
}

/** Follows `page.cursor` to the end. */
export async function* pages<K extends RowsQuestionKey>(
  ask: QuestionAsker["ask"],
  question: K,
  parameters: QuestionParameters<K>,
  options?: AskOptions,
): AsyncGenerator<QuestionRow<K>> {
  let cursor: string | null = null;
  do {
    const asked: QuestionParameters<K> = cursor === null ? parameters : { ...parameters, cursor };
    const answer = await ask(question, asked, options);
    yield* answer.data as readonly QuestionRow<K>[];
    cursor = answer.page.cursor;
  } while (cursor !== null);
}

/** Parameters as they travel: lists joined by commas, instants as text, what is undefined left out. */
export function plainParameters(parameters: object): Record<string, string | number> {
  const plain: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) plain[name] = value.join(",");
    else if (value instanceof Date) plain[name] = value.toISOString();
    else plain[name] = value as string | number;
  }
  return plain;
}
