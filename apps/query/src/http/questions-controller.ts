import type { QuestionDefinition, QuestionIndex } from "@firn/client";
import { Problem } from "@firn/service";
import { All, Controller, Inject, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { formAnswer } from "../answers/answer-form.ts";
import { MEDIA_TYPES, chooseMediaType, type MediaType } from "../answers/media-type.ts";
import { RepeatedParameter } from "../parameters/parse-parameters.ts";
import type { QuestionService } from "../questions/question-service.ts";
import { QUESTION_SERVICE } from "./tokens.ts";

/** `/api/…`: every question that has a definition, at its path. */
@Controller("api")
export class QuestionsController {
  readonly #questions: QuestionService;

  constructor(@Inject(QUESTION_SERVICE) questions: QuestionService) {
    this.#questions = questions;
  }

  @All("*")
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { question, parameters } = questionOfRequest(this.#questions.questions, request);
    const type = requireMediaType(request.headers.accept);
    const answer = await this.#questions.ask(question, parameters);
    const { contentType, headers, body } = formAnswer(answer, type);
    await reply
      .code(200)
      .headers({ ...headers, "cache-control": "no-store", vary: "accept" })
      .type(contentType)
      .send(body);
  }
}

function questionOfRequest(questions: QuestionIndex, { url, method, query, body }: FastifyRequest) {
  // What cannot be decoded has been refused before.
  const path = url.split("?", 1)[0]!.split("/").map(decodeURIComponent).join("/");
  const found = questions.ofPath(path);
  const match = found.find(({ question }) => method === (question.method ?? "GET"));
  if (match === undefined) throw found.length === 0 ? noQuestion(path) : wrongMethod(found[0]!.question);
  const { question, parameters } = match;
  const sent = question.method === "POST" ? { ...parametersOf(query), ...bodyParameters(body) } : parametersOf(query);
  // What stands in the path and elsewhere too is given twice.
  const twice = Object.keys(parameters).filter((name) => Object.hasOwn(sent, name));
  const repeated = Object.fromEntries(twice.map((name) => [name, new RepeatedParameter(2)]));
  return { question, parameters: { ...sent, ...parameters, ...repeated } };
}

function bodyParameters(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null) return {};
  if (typeof body === "object" && !Array.isArray(body)) return body as Record<string, unknown>;
  const message = "the body must be a JSON object of the parameters";
  throw new Problem(400, "invalid_parameter", message, { errors: [{ field: "", rule: "object", message }] });
}

function noQuestion(asked: string): Problem {
  return new Problem(404, "not_found", `There is no question ${asked.replace(/^\/api\//, "")}; /docs lists them.`);
}

function wrongMethod({ method = "GET" }: QuestionDefinition): Problem {
  return new Problem(405, "method_not_allowed", `This question is asked by ${method}.`, { headers: { allow: method } });
}

/** @param subject what stands after `query.` */
export function requireQuestion(questions: QuestionIndex, subject: string): QuestionDefinition {
  const definition = questions.ofSubject(subject);
  if (definition === undefined) throw noQuestion(subject);
  return definition;
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
