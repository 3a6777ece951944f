import { Controller, HttpCode, Inject, Param, Post, Req } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import type { Ingest, IngestAnswer } from "./ingest.ts";

export const INGEST = Symbol("ingest");

@Controller("v1/ingest")
export class IngestController {
  readonly #ingest: Ingest;

  constructor(@Inject(INGEST) ingest: Ingest) {
    this.#ingest = ingest;
  }

  @Post(":dataset")
  @HttpCode(202)
  ingest(@Param("dataset") dataset: string, @Req() request: FastifyRequest): Promise<IngestAnswer> {
    return this.#ingest.accept(dataset, request.raw);
  }
}
