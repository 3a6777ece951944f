import { Problem, problemOf, type Logger } from "@firn/service";
import { Controller, Inject } from "@nestjs/common";
import { MessagePattern, Payload } from "@nestjs/microservices";
import { jsonBody } from "../answers/answer-form.ts";
import { requireQuestion } from "../http/questions-controller.ts";
import type { QuestionService } from "../questions/question-service.ts";
import { invalidParameters } from "../parameters/invalid-parameters.ts";
import { LOG, QUESTION_SERVICE, REPLY_BYTES_MAX } from "../http/tokens.ts";

export interface NatsQuestion {
  readonly subject: string;
  readonly body: Uint8Array;
}

/** `query.<dataset>.<question>`: the same questions by NATS request/reply. */
@Controller()
export class QuestionsNatsController {
  readonly #questions: QuestionService;
  readonly #replyBytesMax: () => number;
  readonly #log: Logger;

  constructor(
    @Inject(QUESTION_SERVICE) questions: QuestionService,
    @Inject(REPLY_BYTES_MAX) replyBytesMax: () => number,
    @Inject(LOG) log: Logger,
  ) {
    this.#questions = questions;
    this.#replyBytesMax = replyBytesMax;
    this.#log = log;
  }

  /** Errors are answers too: thrown through Nest they would lose what they say. */
  @MessagePattern("query.>")
  async ask(@Payload() { subject, body }: NatsQuestion): Promise<string> {
    try {
      const definition = requireQuestion(this.#questions.questions, subject.slice("query.".length));
      const text = jsonBody(await this.#questions.ask(definition, readParameters(body)));
      const bytes = Buffer.byteLength(text);
      if (bytes > this.#replyBytesMax()) throw tooLarge(bytes, this.#replyBytesMax(), definition.parameters);
      return text;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status === 500) this.#log.error("question failed", { subject, error });
      return JSON.stringify(problem.body());
    }
  }
}

function readParameters(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new Problem(400, "broken_json", "The body is not JSON.", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidParameters([{ field: "", rule: "object", message: "the body must be a JSON object of the parameters" }]);
}

function tooLarge(bytes: number, bytesMax: number, parameters: readonly { readonly name: string }[]): Problem {
  const names = parameters.map((parameter) => parameter.name);
  const field = ["limit", "data_type", "start_date"].find((name) => names.includes(name)) ?? "";
  const message = `the answer has ${bytes} bytes and a reply may have ${bytesMax}: ask for less by ${field}`;
  return new Problem(413, "too_large", message, { errors: [{ field, rule: "max_payload", message }] });
}
