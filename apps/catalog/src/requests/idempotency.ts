import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LakeError, shapeError, stringifyLakeJson } from "@firn/lake";
import type { Logger } from "@firn/service";
import type { CatalogDatabase } from "../database/catalog-database.ts";
import type { AppliedRequest } from "../database/request-rows.ts";
import { currentAttempt, type Attempt } from "./attempt.ts";

/** How long a key is remembered; clients are told in `/v1/config`. */
export const KEY_LIFETIME = "PT30M";
const KEY_LIFETIME_MS = 30 * 60_000;
const FORGET_EVERY_MS = 60_000;
/** Longer answers are loads of tables, which are made anew from the metadata file. */
const ANSWER_CHARS_MAX = 16_384;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export interface IdempotencyOptions {
  readonly database: CatalogDatabase;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Answers a request that was applied before as it was answered then. */
  readonly replay: (request: FastifyRequest, reply: FastifyReply, applied: AppliedRequest) => Promise<void>;
}

/**
 * `Idempotency-Key` on requests that change something (REST specification, parameter `idempotency-key`): a request with
 * a key that was applied before is answered again and not run. Refusals (4xx) are remembered too, failures (5xx) and
 * missing rights are not. The key is written in the transaction of the change, so a crash in between forgets neither.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #attempts = new WeakMap<FastifyRequest, { attempt: Attempt; end: () => void }>();
  #forgotMs = 0;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
  }

  /** Hooks around every handler. */
  install(fastify: FastifyInstance): void {
    fastify.addHook("preHandler", (request, reply, done) => {
      const key = request.headers["idempotency-key"];
      if (key === undefined || (request.method !== "POST" && request.method !== "DELETE")) return done();
      this.#begin(request, reply, String(key)).then(
        (attempt) => attempt !== undefined && currentAttempt.run(attempt, done),
        done,
      );
    });
    fastify.addHook("onSend", async (request, reply, payload) => {
      await this.#answered(request, reply, payload);
      return payload;
    });
    fastify.addHook("onResponse", async (request) => this.#attempts.get(request)?.end());
    fastify.addHook("onRequestAbort", async (request) => this.#attempts.get(request)?.end());
  }

  /** undefined when the request has been answered here. */
  async #begin(request: FastifyRequest, reply: FastifyReply, text: string): Promise<Attempt | undefined> {
    if (!UUID_V7.test(text)) throw shapeError("Idempotency-Key", "must be a UUID of version 7");
    const attempt = { key: text.toLowerCase(), fingerprint: fingerprintOf(request) };
    while (this.#running.has(attempt.key)) await this.#running.get(attempt.key);
    const end = this.#hold(attempt.key);
    try {
      const applied = await this.#options.database.findRequest(attempt.key);
      if (applied === undefined) {
        this.#attempts.set(request, { attempt, end });
        return attempt;
      }
      await this.#replay(request, reply, attempt, applied);
      end();
      return undefined;
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Keeps other requests with the key waiting until the returned function is called. */
  #hold(key: string): () => void {
    let resolve = (): void => {};
    const running = new Promise<void>((done) => (resolve = done));
    this.#running.set(key, running);
    return () => {
      if (this.#running.get(key) === running) this.#running.delete(key);
      resolve();
    };
  }

  /** True for a request with a key that is being run. */
  follows(request: FastifyRequest): boolean {
    return this.#attempts.has(request);
  }

  /**
   * A request has failed: perhaps because another process has applied it meanwhile, and then this is its answer too.
   * @returns false when it has not, and the failure is to be answered
   */
  async answeredElsewhere(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const attempt = this.#attempts.get(request)?.attempt;
    const applied = attempt && (await this.#options.database.findRequest(attempt.key));
    if (attempt === undefined || applied === undefined) return false;
    await this.#replay(request, reply, attempt, applied);
    return true;
  }

  async #replay(request: FastifyRequest, reply: FastifyReply, attempt: Attempt, applied: AppliedRequest) {
    if (applied.fingerprint !== attempt.fingerprint) {
      throw new LakeError("invalid", "Idempotency-Key: was used for another request", {
        context: { field: "Idempotency-Key", reason: "unprocessable" },
      });
    }
    await this.#options.replay(request, reply, applied);
  }

  async #answered(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
    const attempt = this.#attempts.get(request)?.attempt;
    const { statusCode: status } = reply;
    if (attempt === undefined || status >= 500 || status === 401 || status === 403) return;
    const body = typeof payload === "string" ? payload : "";
    const isLoad = status === 200 && body.startsWith(`{"metadata-location":`);
    if (isLoad || body.length > ANSWER_CHARS_MAX) return;
    const { database, log, nowMs } = this.#options;
    try {
      await database.answerRequest(attempt, { status, body }, nowMs());
      if (nowMs() - this.#forgotMs < FORGET_EVERY_MS) return;
      this.#forgotMs = nowMs();
      await database.forgetRequests(nowMs() - KEY_LIFETIME_MS);
    } catch (error) {
      log.warn("an answer was not remembered", { error });
    }
  }
}

function fingerprintOf(request: FastifyRequest): string {
  const body = request.body === undefined ? "" : stringifyLakeJson(request.body);
  return createHash("sha256").update(`${request.method} ${request.url}\n${body}`).digest("hex");
}
