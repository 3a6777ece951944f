import { objectStoreContract } from "./contract/object-store-contract.ts";
import { memoryStore } from "./memory-store.ts";

objectStoreContract("memory", async () => {
  const store = memoryStore();
  return { store, close: () => store.close() };
});
