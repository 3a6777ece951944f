import { describeStreamContract } from "./contract.ts";
import { MemoryLogs } from "./memory-logs.ts";

describeStreamContract("MemoryLogs", async () => {
  const logs = new MemoryLogs();
  return {
    connect: async () => logs,
    deleteStream: async (name) => logs.deleteStream(name),
    crash: async () => logs.setConnected(false),
    restart: async () => logs.setConnected(true),
    close: () => logs.close(),
  };
});
