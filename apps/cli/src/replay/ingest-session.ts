import { ClientError, type IngestClient } from "@firn/client";

import { lakeIngest } from "../lake-clients.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import type { PayloadLine } from "./payload-line.ts";

/** A payload that ingest will not take, whatever is tried. */
export interface Refusal {
  readonly position: number;
  readonly status: number;
  readonly detail: string;
}

export interface SendResult {
  readonly acceptedSamples: number;
  readonly acceptedPayloads: number;
  readonly refused: readonly Refusal[];
}

export interface IngestSessionOptions {
  readonly ingestUrl: string;
  readonly dataset: string;
  /** Told before each pause, while ingest is away or asks to wait. */
  readonly onWaiting: (reason: string) => void;
  /** How often one request is tried; pauses double up to ten seconds. */
  readonly attemptsMax?: number;
}

const ATTEMPTS_MAX = 20;
const NEWLINE = Buffer.from("\n");
/** Answers that are about what was sent, not about the world. */
const ABOUT_THE_PAYLOAD = new Set([400, 413]);

/**
 * Sends payloads to `POST /v1/ingest/{dataset}` until each is accepted or refused. A request whose outcome is unknown
 * is sent again: the lake stores an identity once.
 */
export class IngestSession {
  readonly #client: IngestClient;
  readonly #options: IngestSessionOptions;

  constructor(options: IngestSessionOptions) {
    this.#options = options;
    this.#client = lakeIngest(options.ingestUrl, {
      gzipFromBytes: 1,
      retry: { attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX },
      onRetry: ({ error }) => options.onWaiting(error.message),
    });
  }

  /** @throws CommandError (broken) when ingest stays away, or answers what only a person can mend. */
  async send(lines: readonly PayloadLine[]): Promise<SendResult> {
    try {
      await this.#client.sendLines(
        this.#options.dataset,
        Buffer.concat(lines.flatMap(({ bytes }) => [bytes, NEWLINE])),
      );
    } catch (error) {
      const status = error instanceof ClientError && error.kind === "refused" ? error.status : undefined;
      if (status === undefined || !ABOUT_THE_PAYLOAD.has(status)) throw this.#broken(error);
      if (lines.length > 1) return this.#sendHalves(lines);
      const refusal = { position: lines[0]?.position ?? 0, status, detail: detailOf(error as ClientError) };
      return { acceptedSamples: 0, acceptedPayloads: 0, refused: [refusal] };
    }
    const acceptedSamples = lines.reduce((sum, line) => sum + line.samples, 0);
    return { acceptedSamples, acceptedPayloads: lines.length, refused: [] };
  }

  /** A request is accepted whole or not at all: the bad payload is found by halving, the others go in. */
  async #sendHalves(lines: readonly PayloadLine[]): Promise<SendResult> {
    const middle = lines.length >> 1;
    const first = await this.send(lines.slice(0, middle));
    const second = await this.send(lines.slice(middle));
    return {
      acceptedSamples: first.acceptedSamples + second.acceptedSamples,
      acceptedPayloads: first.acceptedPayloads + second.acceptedPayloads,
      refused: [...first.refused, ...second.refused],
    };
  }

  #broken(error: unknown): CommandError {
    const said = error instanceof ClientError ? detailOf(error) : String(error);
    return new CommandError(EXIT.broken, `ingest at ${this.#options.ingestUrl} does not take payloads: ${said}`, {
      fix: "Run the same command again when it does; it goes on from where it stopped",
      cause: error,
    });
  }
}

function detailOf(error: ClientError): string {
  return [error.message, ...error.errors.map(({ message }) => message)].join("; ");
}
