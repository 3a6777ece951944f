import type { IncomingMessage } from "node:http";
import type { Dataset } from "@firn/core";
import { Problem, type Tracer } from "@firn/service";
import { acceptPayloads } from "./accepted-payloads.ts";
import { appendProblem } from "./append-problem.ts";
import { bodyFormat } from "./body-payloads.ts";
import { ByteShare, type ByteBudget } from "./byte-budget.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { IngestMetrics } from "./ingest-metrics.ts";
import { readBody } from "./request-body.ts";

export interface IngestAnswer {
  /** Opaque; names where in the log the request lies. */
  readonly receipt: string;
  readonly payloads: number;
}

export interface IngestPorts {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly shards: number;
  readonly budget: ByteBudget;
  readonly commit: GroupCommit;
  readonly metrics: IngestMetrics;
  readonly tracer: Pick<Tracer, "traceparentOf">;
}

/** Takes requests in: whole or not at all, answered when the broker has them on disk. */
export class Ingest {
  readonly #ports: IngestPorts;

  constructor(ports: IngestPorts) {
    this.#ports = ports;
  }

  /** @throws Problem for everything that the client should know */
  async accept(datasetName: string, request: IncomingMessage): Promise<IngestAnswer> {
    const { budget, metrics } = this.#ports;
    const share = new ByteShare(budget);
    try {
      return await this.#accept(this.#dataset(datasetName), request, share);
    } catch (error) {
      metrics.refused(error instanceof Problem ? error.code : "internal_error");
      throw error;
    } finally {
      share.release();
    }
  }

  async #accept(dataset: Dataset, request: IncomingMessage, share: ByteShare): Promise<IngestAnswer> {
    const { shards, commit, metrics, tracer } = this.#ports;
    const receivedAtUs = Date.now() * 1000;
    const format = bodyFormat(request.headers["content-type"]);
    const body = await readBody(request, share);
    const { payloads, received, records } = acceptPayloads(body, format, dataset, shards);
    try {
      const receipt = await commit.submit(dataset.name, payloads, receivedAtUs, tracer.traceparentOf(request));
      metrics.accepted(dataset.name, { payloads: received, records, bytes: body.length });
      return { receipt, payloads: received };
    } catch (error) {
      throw appendProblem(error);
    }
  }

  #dataset(name: string): Dataset {
    const dataset = this.#ports.datasets.get(name);
    if (dataset) return dataset;
    const known = [...this.#ports.datasets.keys()].join(", ");
    throw new Problem(404, "unknown_dataset", `There is no such dataset; there are: ${known}.`, {
      errors: [{ field: "dataset", rule: "known", message: `dataset must be one of: ${known}` }],
    });
  }
}
