import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { type LakeObserver, s3OutcomeOf } from "../../lake-observer.ts";
import { backOff } from "./s3-retry.ts";
import type { S3CredentialSource, S3Settings, VendedS3Access } from "./s3-settings.ts";

const TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;
const ATTEMPTS_MAX = 8;
const SOCKETS_MAX = 64;
/** Clients of vended credentials that are kept; renewed credentials get a new one. */
const CLIENTS_MAX = 100;

/** The SDK's clients: one for the site's own credentials, one for each set of credentials that a catalog vended. */
export class S3Clients {
  readonly #settings: S3Settings;
  readonly #source: S3CredentialSource | undefined;
  readonly #vended = new Map<string, S3Client>();
  #own: S3Client | undefined;

  constructor(settings: S3Settings, source?: S3CredentialSource) {
    this.#settings = settings;
    this.#source = source;
  }

  /** The client that may touch this location. */
  async clientFor(location: string): Promise<S3Client> {
    const access = await this.#source?.credentialsFor(location);
    if (access === undefined) return (this.#own ??= this.#open(this.#config()));
    const key = JSON.stringify(access);
    const known = this.#vended.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#vended.keys();
    if (this.#vended.size >= CLIENTS_MAX && oldest !== undefined) this.#vended.delete(oldest);
    const client = this.#open(this.#config(access));
    this.#vended.set(key, client);
    return client;
  }

  #open(config: S3ClientConfig): S3Client {
    const client = new S3Client(config);
    if (this.#settings.observer) countRequests(client, this.#settings.observer);
    return client;
  }

  /** What the site sets stands before what the catalog says, but for credentials. */
  #config(access?: VendedS3Access): S3ClientConfig {
    const { region, timeoutMs = TIMEOUT_MS, attemptsMax = ATTEMPTS_MAX } = this.#settings;
    const endpoint = this.#settings.endpoint ?? access?.endpoint;
    const credentials = access?.credentials ?? this.#settings.credentials;
    const agent = { keepAlive: true, maxSockets: SOCKETS_MAX };
    return {
      region: access?.region ?? region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: this.#settings.pathStyle ?? access?.pathStyle ?? endpoint !== undefined,
      retryStrategy: backOff(attemptsMax),
      requestHandler: {
        connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: timeoutMs,
        httpAgent: agent,
        httpsAgent: agent,
        // Requests beyond the sockets wait their turn; that is no news.
        socketAcquisitionWarningTimeout: timeoutMs,
      },
    };
  }
}

/** Around what reads the answer, and inside of what tries again: each try counts. */
function countRequests(client: S3Client, observer: Pick<LakeObserver, "s3Request">): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = String(context.commandName ?? "unknown").replace(/Command$/, "");
      try {
        const result = await next(args);
        const { statusCode } = result.response as { statusCode?: number };
        observer.s3Request(operation, s3OutcomeOf(statusCode));
        return result;
      } catch (error) {
        const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
        observer.s3Request(operation, s3OutcomeOf($metadata?.httpStatusCode));
        throw error;
      }
    },
    { step: "deserialize", priority: "high", name: "countRequests" },
  );
}
