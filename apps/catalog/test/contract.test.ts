import { RestCatalog } from "@firn/lake";
import { catalogContract } from "@firn/lake/catalog-contract";
import { startCatalog } from "./running-catalog.ts";

catalogContract("REST client against our server", async () => {
  const server = await startCatalog();
  return { catalog: new RestCatalog({ uri: server.url }), close: () => server.close() };
});
