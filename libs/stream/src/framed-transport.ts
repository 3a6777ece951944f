import { createConnection, type Socket } from "node:net";
import {
  NatsConnectionImpl,
  setTransportFactory,
  type ConnectionOptions,
  type NatsConnection,
} from "@nats-io/transport-node";
import { NodeTransport, nodeResolveHost } from "@nats-io/transport-node/lib/node_transport.js";
import { MessageFraming } from "./message-framing.ts";

/** What one read of the socket takes at most. */
const READ_BYTES_MAX = 256 * 1024;

/**
 * The client library's own way to a server, but that messages reach its parser whole (`MessageFraming`), and that a
 * plain socket reads into one buffer again and again instead of a new one each time.
 */
class FramedTransport extends NodeTransport {
  readonly #framing = new MessageFraming((bytes) => {
    this.yields.push(bytes);
    this.signal.resolve();
  });
  /** Before the server's first line has been read, and below TLS, the library listens to the socket's events. */
  #readsItself = false;

  override dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let problem: Error | undefined;
      const callback = (count: number, buffer: Uint8Array): boolean => {
        const chunk = buffer.subarray(0, count);
        if (this.#readsItself) this.#framing.push(chunk);
        else socket.emit("data", Buffer.from(chunk));
        return true;
      };
      const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES_MAX), callback };
      const socket: Socket = createConnection({ port, host: hostname, noDelay: true, onread }, () => {
        socket.removeAllListeners();
        resolve(socket);
      });
      socket.on("error", (error) => (problem = error));
      socket.on("close", () => reject(problem ?? new Error("the connection was closed")));
    });
  }

  override setupHandlers(): void {
    super.setupHandlers();
    // What came with the server's first line.
    const early = this.yields;
    this.yields = [];
    for (const bytes of early) this.#framing.push(bytes);
    this.socket.removeAllListeners("data").on("data", (chunk: Buffer) => this.#framing.push(chunk));
    this.#readsItself = !this.isEncrypted();
  }
}

/** As the client library's `connect`. */
export function connectFramed(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new FramedTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}
