import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import type { StreamConnection } from "./connection.ts";
import { appendContract } from "./contract/append-contract.ts";
import type { ContractBroker, ContractScene } from "./contract/broker.ts";
import { messagingContract } from "./contract/messaging-contract.ts";
import { readContract } from "./contract/read-contract.ts";
import { streamContract } from "./contract/stream-contract.ts";

export type { ContractBroker } from "./contract/broker.ts";

/** The promise of the port as tests: every adapter passes all of them. Call it at the top of a test file. */
export function describeStreamContract(adapter: string, start: () => Promise<ContractBroker>): void {
  describe(`${adapter} keeps the promise of the log port`, () => {
    let broker: ContractBroker;
    let streams: StreamConnection;
    let scene: ContractScene;
    let tests = 0;
    let stop: AbortController;

    beforeAll(async () => {
      broker = await start();
      streams = await broker.connect();
    });
    afterAll(async () => {
      await streams?.close();
      await broker?.close();
    });
    beforeEach(() => {
      tests += 1;
      stop = new AbortController();
      const name = `t${tests}`;
      scene = {
        broker,
        streams,
        name,
        signal: stop.signal,
        openLog: (spec = {}) => streams.openLog({ stream: name.toUpperCase(), subjects: [`${name}.>`], ...spec }),
      };
    });
    afterEach(() => stop.abort());

    const current = () => scene;
    describe("append", () => appendContract(current));
    describe("read, last, pending and trim", () => readContract(current));
    describe("streams", () => streamContract(current));
    describe("hints, requests and attempts", () => messagingContract(current));
  });
}
