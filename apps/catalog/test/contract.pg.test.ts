import { afterAll, beforeAll } from "vitest";
import { RestCatalog } from "@firn/lake";
import { catalogContract } from "@firn/lake/catalog-contract";
import { STORAGES, startCatalog, type Storage } from "./running-catalog.ts";

let storage: Storage;
beforeAll(async () => {
  storage = await STORAGES.find(([name]) => name === "PostgreSQL")![1]();
});
afterAll(() => storage.close());

catalogContract("REST client against our server on PostgreSQL", async () => {
  const server = await startCatalog(storage.environment());
  return { catalog: new RestCatalog({ uri: server.url }), close: () => server.close() };
});
