import { Controller, Get, Inject } from "@nestjs/common";
import { KEY_LIFETIME } from "../requests/idempotency.ts";

/** What this catalog answers to; clients use nothing that is not listed (REST specification, `CatalogConfig`). */
const ENDPOINTS = [
  "GET /v1/{prefix}/namespaces",
  "POST /v1/{prefix}/namespaces",
  "GET /v1/{prefix}/namespaces/{namespace}",
  "HEAD /v1/{prefix}/namespaces/{namespace}",
  "DELETE /v1/{prefix}/namespaces/{namespace}",
  "POST /v1/{prefix}/namespaces/{namespace}/properties",
  "GET /v1/{prefix}/namespaces/{namespace}/tables",
  "POST /v1/{prefix}/namespaces/{namespace}/tables",
  "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
  "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
  "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
  "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
  "POST /v1/{prefix}/namespaces/{namespace}/register",
  "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
  "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials",
  "POST /v1/{prefix}/tables/rename",
  "POST /v1/{prefix}/transactions/commit",
  "GET /v1/{prefix}/namespaces/{namespace}/views",
  "POST /v1/{prefix}/namespaces/{namespace}/views",
  "GET /v1/{prefix}/namespaces/{namespace}/views/{view}",
  "HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}",
  "POST /v1/{prefix}/namespaces/{namespace}/views/{view}",
  "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}",
  "POST /v1/{prefix}/namespaces/{namespace}/register-view",
  "POST /v1/{prefix}/views/rename",
] as const;

export const CLIENT_DEFAULTS = Symbol("client defaults");

@Controller("v1")
export class ConfigController {
  readonly #defaults: Readonly<Record<string, string>>;

  constructor(@Inject(CLIENT_DEFAULTS) defaults: Readonly<Record<string, string>>) {
    this.#defaults = defaults;
  }

  @Get("config")
  config() {
    return {
      defaults: this.#defaults,
      overrides: {},
      endpoints: ENDPOINTS,
      "idempotency-key-lifetime": KEY_LIFETIME,
    };
  }
}
