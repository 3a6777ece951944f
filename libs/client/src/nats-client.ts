import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Answer } from "./contract/answer.ts";
import { ClientError, parseProblem } from "./client-error.ts";
import { pages, plainParameters, type AskOptions, type QuestionAsker } from "./query-client.ts";

export interface NatsClientOptions {
  /** Shown by the server's monitoring. */
  readonly name?: string;
  /** Limit of one request. */
  readonly timeoutMs?: number;
}

/** Asks the query service by NATS request/reply: subject `query.<dataset>.<question>`, body the parameters. */
export interface NatsQueryClient extends QuestionAsker {
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/** @param url `nats://127.0.0.1:4222` */
export async function connectNatsClient(url: string, options: NatsClientOptions = {}): Promise<NatsQueryClient> {
  const connection = await connectTo(url, options.name ?? "firn-client");
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const ask: QuestionAsker["ask"] = async (question, parameters, call) => {
    const body = JSON.stringify(plainParameters(parameters));
    return (await request(connection, `query.${question}`, body, timeoutMs, call)) as never;
  };
  return {
    ask,
    rows: (question, parameters, call) => pages(ask, question, parameters, call),
    // Draining needs the server; without it there is nothing to wait for.
    close: () => connection.drain().catch(() => connection.close()),
  };
}

async function connectTo(url: string, name: string): Promise<NatsConnection> {
  try {
    return await connect({ servers: url, name, maxReconnectAttempts: -1 });
  } catch (cause) {
    throw new ClientError("unavailable", `cannot reach ${url}`, { cause });
  }
}

async function request(
  connection: NatsConnection,
  subject: string,
  body: string,
  timeoutMs: number,
  call: AskOptions | undefined,
): Promise<Answer> {
  if (call?.signal?.aborted === true) throw new ClientError("aborted", "stopped", { cause: call.signal.reason });
  let text: string;
  try {
    text = (await connection.request(subject, body, { timeout: timeoutMs })).string();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError("unavailable", `no answer on ${subject}: ${why}`, { cause });
  }
  const problem = parseProblem(text);
  if (problem === undefined) return JSON.parse(text) as Answer;
  throw new ClientError(problem.status >= 500 ? "unavailable" : "refused", problem.detail, {
    status: problem.status,
    problem,
  });
}
