import { Controller, Get, Inject, Module, Res, type DynamicModule } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { docsPage } from "./docs-page.ts";
import { PROBLEM_MEDIA_TYPE } from "./problem.ts";

/** An OpenAPI 3.1 document, made by hand; a test of each service checks it. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers?: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
}

const OPENAPI = Symbol("openapi document");

@Controller()
class DocsController {
  readonly #document: OpenApiDocument;

  constructor(@Inject(OPENAPI) document: OpenApiDocument) {
    this.#document = document;
  }

  @Get("docs-json")
  json(): OpenApiDocument {
    return this.#document;
  }

  @Get("docs")
  async page(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .type("text/html; charset=utf-8")
      .send(docsPage(this.#document));
  }
}

@Module({})
class DocsModule {}

/** Serves the document at `/docs-json` and as a page at `/docs`, with the schema `Problem` added. */
export function openApiModule(document: OpenApiDocument): DynamicModule {
  const schemas = { ...document.components?.schemas, Problem: PROBLEM_SCHEMA };
  const complete: OpenApiDocument = { ...document, components: { ...document.components, schemas } };
  return {
    module: DocsModule,
    controllers: [DocsController],
    providers: [{ provide: OPENAPI, useValue: complete }],
  };
}

/** The response object of an error answer. */
export function problemResponse(description: string): { description: string; content: Record<string, object> } {
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } } };
}

const PROBLEM_SCHEMA = {
  type: "object",
  description: "RFC 9457, with a code for programs and the fields that are wrong.",
  required: ["type", "title", "status", "code", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string" },
    detail: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "rule", "message"],
        properties: {
          field: { type: "string" },
          rule: { type: "string" },
          message: { type: "string" },
          line: { type: "integer", minimum: 1 },
          index: { type: "integer", minimum: 0 },
        },
      },
    },
  },
} as const;
