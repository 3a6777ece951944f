import type { IngestClient } from "@firn/client";

/** A row of one of the market's tables, by its columns. Dates are texts, YYYY-MM-DD. */
export type MarketRow = Readonly<Record<string, string | number | boolean | null>>;

/** Half of what ingest takes in one payload, so that a payload stays far under its bytes too. */
const ROWS_PER_PAYLOAD = 5_000;

/**
 * Sends rows of the market's tables through ingest, one request after the other: of two rows with one identity the one
 * that was sent later wins. Resolves when the broker has them on disk. What is sent again is a counted duplicate.
 */
export class MarketSender {
  readonly #client: IngestClient;
  readonly #source: string;

  /** @param source who sends, as payloads name it */
  constructor(client: IngestClient, source: string) {
    this.#client = client;
    this.#source = source;
  }

  /** @throws ClientError when ingest refuses, or stays away longer than the client's own patience */
  async send(table: string, rows: readonly MarketRow[], signal?: AbortSignal): Promise<void> {
    for (let from = 0; from < rows.length; from += ROWS_PER_PAYLOAD) {
      await this.#post({ table, source: this.#source, rows: rows.slice(from, from + ROWS_PER_PAYLOAD) }, signal);
    }
  }

  /** Takes the rows of these identities out of a table. */
  async remove(table: string, identities: readonly MarketRow[], signal?: AbortSignal): Promise<void> {
    for (let from = 0; from < identities.length; from += ROWS_PER_PAYLOAD) {
      const deleted = identities.slice(from, from + ROWS_PER_PAYLOAD);
      await this.#post({ table, source: this.#source, deleted }, signal);
    }
  }

  async #post(payload: unknown, signal: AbortSignal | undefined): Promise<void> {
    await this.#client.send("market", [payload], signal === undefined ? {} : { signal });
  }
}
