import type { NatsConnection } from "@nats-io/transport-node";
import { StreamError } from "./stream-error.ts";

/** The connection broke while an answer was awaited; whoever awaits it decides what that means. */
export class ConnectionLost extends Error {
  constructor() {
    super("the connection to nats-server was lost");
  }
}

/**
 * A NATS connection together with whether it stands right now. The client library keeps on buffering what is sent
 * while it is away and leaves requests to their timeouts; here both fail at once.
 */
export class NatsLink {
  readonly nc: NatsConnection;
  readonly closed: Promise<Error | undefined>;
  /** Aborted when the connection has ended for good. */
  readonly ended: AbortSignal;
  #connected = true;
  readonly #listeners = new Set<(connected: boolean) => void>();

  /** Begins the subjects of answers to this connection. */
  readonly inboxPrefix: string;

  constructor(nc: NatsConnection, inboxPrefix: string) {
    this.nc = nc;
    this.inboxPrefix = inboxPrefix;
    const ended = new AbortController();
    this.ended = ended.signal;
    this.closed = nc.closed().then((reason) => {
      this.#setConnected(false);
      ended.abort();
      return reason instanceof Error ? reason : undefined;
    });
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected;
  }

  onChange(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Throws `unavailable` when there is no connection now; rejects with ConnectionLost as soon as it breaks. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.assertConnected();
    let forget = () => {};
    const lost = new Promise<never>((_, reject) => {
      forget = this.onChange((connected) => !connected && reject(new ConnectionLost()));
    });
    try {
      return await Promise.race([work(), lost]);
    } finally {
      forget();
    }
  }

  assertConnected(): void {
    if (!this.#connected) throw new StreamError("unavailable", "not connected to nats-server");
  }

  /** Resolves when the connection stands, when it has ended for good, or at the signal. */
  whenConnected(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const settled = () => this.#connected || signal.aborted || this.ended.aborted;
      if (settled()) return resolve();
      const check = () => {
        if (!settled()) return;
        forget();
        signal.removeEventListener("abort", check);
        this.ended.removeEventListener("abort", check);
        resolve();
      };
      const forget = this.onChange(check);
      signal.addEventListener("abort", check);
      this.ended.addEventListener("abort", check);
    });
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === "disconnect") this.#setConnected(false);
      if (status.type === "reconnect") this.#setConnected(true);
    }
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const listener of [...this.#listeners]) listener(connected);
  }
}
