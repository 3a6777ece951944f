import { defineSettings, memberSettings, pipelineSettings } from "@firn/service";

export const validatorSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  shards: pipelineSettings.shards,
  ownShards: {
    env: "FIRN_VALIDATOR_SHARDS",
    type: "string",
    default: "all",
    help: "Shards that this process may work on: all, or numbers and ranges such as 0,2-3. Validators share them.",
  },
  ...memberSettings,
  mode: {
    env: "FIRN_VALIDATION",
    type: "string",
    default: "strict",
    choices: ["strict", "lenient"],
    help: "strict: unknown types and units are dead letters; lenient: they are stored and counted as warnings.",
  },
  defaultZone: pipelineSettings.defaultZone,
  runBytesMax: {
    env: "FIRN_VALIDATOR_RUN_BYTES",
    type: "bytes",
    default: 2 * 1024 ** 2,
    min: 1024,
    max: 16 * 1024 ** 2,
    help: "Bytes of input in one run, which is one append; a single longer message is a run of its own.",
  },
  keepMs: {
    env: "FIRN_INTAKE_KEEP_MS",
    type: "int",
    default: 600_000,
    min: 0,
    help: "How long validated input stays in the intake stream for replay.",
  },
  keepBytes: {
    env: "FIRN_INTAKE_KEEP_BYTES",
    type: "bytes",
    default: 512 * 1024 ** 2,
    min: 0,
    help: "Size of the intake stream from which validated input goes at once; also from half of the stream's own limit.",
  },
  streamReplicas: pipelineSettings.streamReplicas,
});

export type ValidatorSettings = ReturnType<(typeof validatorSettings)["parse"]>;

/**
 * The shards of `all` or of a list of numbers and ranges, ascending.
 * @throws RangeError when the text is none or names a shard that the lake has not.
 */
export function parseOwnShards(text: string, shards: number): number[] {
  if (text === "all") return Array.from({ length: shards }, (_, shard) => shard);
  const own = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,3})(?:-(\d{1,3}))?\s*$/.exec(part);
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || from > to || to >= shards) {
      throw new RangeError(`FIRN_VALIDATOR_SHARDS: "${part}" must be a shard or a range of 0–${shards - 1}`);
    }
    for (let shard = from; shard <= to; shard++) own.add(shard);
  }
  return [...own].sort((a, b) => a - b);
}
