import { Problem } from "@firn/service";
import type { FastifyInstance } from "fastify";
import type { RequestRate } from "./request-rate.ts";

const MS_PER_SECOND = 1_000;

/** Answers 429 with `Retry-After` to who sends more often than the rate allows. Nothing of such a request is read. */
export function limitRequests(fastify: FastifyInstance, rate: RequestRate, refused: (code: string) => void): void {
  fastify.addHook("onRequest", (request, _reply, done) => {
    if (!request.url.startsWith("/v1/ingest/")) return done();
    const waitMs = rate.waitMs(request.token?.name ?? "", performance.now());
    if (waitMs === 0) return done();
    // A body that nobody reads would hold its connection until the end of the service.
    request.raw.resume();
    refused("too_many_requests");
    const headers = { "retry-after": String(Math.ceil(waitMs / MS_PER_SECOND)) };
    const detail = "More requests came than this sender may send; nothing of this one was stored. Send it again later.";
    done(new Problem(429, "too_many_requests", detail, { headers }));
  });
}
