import { catalogContract } from "./contract/catalog-contract.ts";
import { MemoryCatalog } from "./memory-catalog.ts";

catalogContract("memory", async () => ({ catalog: new MemoryCatalog(), close: async () => {} }));
