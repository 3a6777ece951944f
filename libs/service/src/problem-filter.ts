import { Catch, type ArgumentsHost, type ExceptionFilter } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import type { Logger } from "./logger.ts";
import { PROBLEM_MEDIA_TYPE, problemOf } from "./problem.ts";

/** Hands every error of a handler, a parser or the router to the one way of answering them. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #answer: (reply: FastifyReply, error: unknown) => void;

  constructor(answer: (reply: FastifyReply, error: unknown) => void) {
    this.#answer = answer;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    this.#answer(host.switchToHttp().getResponse<FastifyReply>(), error);
  }
}

/** Answers an error as problem+json; logs those that are our fault. */
export function sendProblem(reply: FastifyReply, error: unknown, log: Logger): void {
  const problem = problemOf(error);
  if (problem.status >= 500 && problem.status !== 503) {
    log.error("request failed", { route: reply.request.routeOptions.url, method: reply.request.method, error });
  }
  if (reply.sent) return;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header("content-type", PROBLEM_MEDIA_TYPE)
    .send(Buffer.from(JSON.stringify(problem.body())));
}
