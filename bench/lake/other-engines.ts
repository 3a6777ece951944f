/** The engines that Firn is put beside: those that are wanted and, where they are large, here. */
import { PYICEBERG_VERSION, SPARK_VERSION, sparkIsHere } from "../../tools/foreign-servers.mjs";
import { PyIceberg } from "./pyiceberg.ts";
import type { Setting } from "./setting.ts";
import { Spark } from "./spark.ts";

export interface OtherEngines {
  readonly python: PyIceberg | undefined;
  readonly spark: Spark | undefined;
}

export interface WantedEngines {
  readonly python: boolean;
  /** undefined: where it was fetched before. */
  readonly spark: boolean | undefined;
  /** For a step of one of them. */
  readonly limitMs: number;
}

export function otherEngines(setting: Setting, wanted: WantedEngines): OtherEngines {
  const withSpark = wanted.spark ?? sparkIsHere();
  const here = "not fetched, or no JDK: --spark fetches its jars";
  const why = wanted.spark === undefined ? here : "--no-spark";
  console.log(`PyIceberg: ${wanted.python ? PYICEBERG_VERSION : "left out (--no-pyiceberg)"}`);
  console.log(`Spark: ${withSpark ? `${SPARK_VERSION}, local[2], one session, warm` : `left out (${why})`}`);
  return {
    python: wanted.python ? new PyIceberg(setting, wanted.limitMs) : undefined,
    spark: withSpark ? new Spark(setting, wanted.limitMs) : undefined,
  };
}
