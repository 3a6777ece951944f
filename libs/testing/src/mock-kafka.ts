import { spawnSync } from "node:child_process";

import { Child } from "./child-process.ts";
import { waitFor } from "./wait-for.ts";

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 2_000;

/** Why tests with Kafka cannot run here; undefined when they can. */
export const whyNoMockKafka: string | undefined =
  spawnSync("kcat", ["-V"]).status === 0 ? undefined : "kcat is not installed (Debian package kcat)";

export interface MockKafka {
  /** HOST:PORT. */
  readonly broker: string;
  stop(): Promise<void>;
}

/**
 * The broker that librdkafka has for tests: one process, in memory, with consumer groups and rebalances. A topic is
 * made by its first mention and has four partitions, each of which keeps the last 5 MB.
 */
export async function startMockKafka(): Promise<MockKafka> {
  const settings = ["-X", "test.mock.num.brokers=1"];
  // Its consumer has nothing to read; the brokers live as long as it does.
  const child = new Child("kcat", ["-b", "mock", ...settings, "-C", "-t", "keeps-the-brokers-up", "-o", "end"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const broker = await waitFor(
    () => {
      child.assertAlive("the mock cluster");
      return /replaced with ([\d.]+:\d+)/.exec(child.log)?.[1];
    },
    { limitMs: START_LIMIT_MS, what: "the mock cluster" },
  );
  return {
    broker,
    async stop() {
      await child.stop(STOP_LIMIT_MS);
    },
  };
}
