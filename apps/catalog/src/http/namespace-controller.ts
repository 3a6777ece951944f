import { Controller, Delete, Get, Head, Inject, Post, Query, Req, Res } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { listAt, objectAt, optionalAt, stringAt, stringMapAt } from "@firn/lake";
import type { NamespaceCatalog } from "../namespace-catalog.ts";
import { answerEmpty, answerJson } from "./json-answer.ts";
import { pageOf } from "./page.ts";
import { namespaceOf, parentOf } from "./request-path.ts";

export const NAMESPACES = Symbol("namespaces");

@Controller("v1/namespaces")
export class NamespaceController {
  readonly #namespaces: NamespaceCatalog;

  constructor(@Inject(NAMESPACES) namespaces: NamespaceCatalog) {
    this.#namespaces = namespaces;
  }

  @Get()
  async list(@Query() query: Record<string, string | undefined>, @Res() reply: FastifyReply): Promise<void> {
    const all = await this.#namespaces.list(parentOf(query["parent"]));
    const page = pageOf(all, (namespace) => namespace.join("."), query);
    answerJson(reply, { namespaces: page.rows, "next-page-token": page.nextPageToken });
  }

  @Post()
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const body = objectAt(request.body, "");
    const namespace = listAt(body["namespace"], "namespace", stringAt);
    const properties = optionalAt(body["properties"], "properties", stringMapAt) ?? {};
    await this.#namespaces.create(namespace, properties);
    answerJson(reply, { namespace, properties });
  }

  // Fastify makes a HEAD route of every GET route, unless there is one before it.
  @Head(":namespace")
  async exists(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    answerEmpty(reply, (await this.#namespaces.exists(namespaceOf(request.raw.url ?? ""))) ? 204 : 404);
  }

  @Get(":namespace")
  async load(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const namespace = namespaceOf(request.raw.url ?? "");
    answerJson(reply, { namespace, properties: await this.#namespaces.load(namespace) });
  }

  @Delete(":namespace")
  async drop(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#namespaces.drop(namespaceOf(request.raw.url ?? ""));
    answerEmpty(reply);
  }

  @Post(":namespace/properties")
  async update(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const body = objectAt(request.body, "");
    const changed = await this.#namespaces.update(namespaceOf(request.raw.url ?? ""), {
      updates: optionalAt(body["updates"], "updates", stringMapAt) ?? {},
      removals: optionalAt(body["removals"], "removals", (names, path) => listAt(names, path, stringAt)) ?? [],
    });
    answerJson(reply, changed);
  }
}
