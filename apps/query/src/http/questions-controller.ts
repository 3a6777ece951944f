import { findQuestion, type QuestionDefinition } from "@firn/client";
import { Problem } from "@firn/service";
import { Controller, Get, Inject, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { formAnswer } from "../answers/answer-form.ts";
import { MEDIA_TYPES, chooseMediaType, type MediaType } from "../answers/media-type.ts";
import { RepeatedParameter } from "../parameters/parse-parameters.ts";
import type { QuestionService } from "../questions/question-service.ts";
import { QUESTION_SERVICE } from "./tokens.ts";

/** `GET /api/<dataset>/<question>`: every question that has a definition. */
@Controller("api")
export class QuestionsController {
  readonly #questions: QuestionService;

  constructor(@Inject(QUESTION_SERVICE) questions: QuestionService) {
    this.#questions = questions;
  }

  @Get(":dataset/:question")
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { dataset, question } = request.params as { dataset: string; question: string };
    const definition = requireQuestion(dataset, question);
    const type = requireMediaType(request.headers.accept);
    const answer = await this.#questions.ask(definition, parametersOf(request.query));
    const { contentType, headers, body } = formAnswer(answer, type);
    await reply
      .headers({ ...headers, "cache-control": "no-store", vary: "accept" })
      .type(contentType)
      .send(body);
  }
}

export function requireQuestion(dataset: string, name: string): QuestionDefinition {
  const definition = findQuestion(dataset, name);
  if (definition !== undefined) return definition;
  throw new Problem(404, "not_found", `There is no question ${dataset}/${name}; /docs lists them.`);
}

function requireMediaType(accept: string | undefined): MediaType {
  const type = chooseMediaType(accept);
  if (type !== undefined) return type;
  throw new Problem(406, "not_acceptable", `Answers are ${MEDIA_TYPES.join(", ")}.`);
}

/** A query string as parameters by name; what is there more than once says so. */
export function parametersOf(query: unknown): Record<string, unknown> {
  const entries = Object.entries(query as Record<string, string | string[]>);
  // Defined, not assigned: a parameter may be called __proto__.
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? new RepeatedParameter(value.length) : value]),
  );
}
