import { Controller, Get } from "@nestjs/common";

/** What this catalog answers to; clients use nothing that is not listed (REST specification, `CatalogConfig`). */
export const ENDPOINTS = [
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

@Controller("v1")
export class ConfigController {
  @Get("config")
  config() {
    return { defaults: {}, overrides: {}, endpoints: ENDPOINTS };
  }
}
