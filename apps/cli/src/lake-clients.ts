import {
  ingestClient,
  queryClient,
  type HttpOptions,
  type IngestClient,
  type IngestClientOptions,
  type QueryClient,
} from "@firn/client";

import { readConfig } from "./config.ts";

/** Clients of a lake's services, with the token of FIRN_TOKEN where it is set. */
export function lakeIngest(url: string, options: IngestClientOptions): IngestClient {
  return ingestClient(url, { ...options, token: readConfig().token });
}

export function lakeQuery(url: string, options: HttpOptions): QueryClient {
  return queryClient(url, { ...options, token: readConfig().token });
}
