import type { PipelineStatus } from "@firn/client";
import { Controller, Get, Inject, Req } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import { parameterParser } from "../parameters/parse-parameters.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { invalidParameters } from "../parameters/invalid-parameters.ts";
import { parametersOf } from "./questions-controller.ts";
import { PIPELINE } from "./tokens.ts";

export const WAIT_MS_MAX = 3_600_000;

export const PIPELINE_PARAMETERS = [
  {
    name: "wait_ms",
    kind: "integer",
    min: 0,
    max: WAIT_MS_MAX,
    default: 0,
    doc: "Wait so many milliseconds at most until the pipeline is settled.",
    example: 10_000,
  },
] as const;

const parse = parameterParser({ parameters: PIPELINE_PARAMETERS, rules: [] });

/** `GET /api/pipeline?wait_ms=N`: how far everything is that was acknowledged before the request. */
@Controller("api")
export class PipelineController {
  readonly #pipeline: Pipeline;

  constructor(@Inject(PIPELINE) pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  @Get("pipeline")
  async status(@Req() request: FastifyRequest): Promise<PipelineStatus> {
    const parsed = parse(parametersOf(request.query));
    if (!parsed.ok) throw invalidParameters(parsed.errors);
    const gone = new AbortController();
    request.raw.once("close", () => gone.abort());
    return this.#pipeline.status(parsed.values["wait_ms"] as number, gone.signal);
  }
}
