/** A process of `tls.nats.test.ts`: appends records over TLS, reads them back and prints how many came as they went. */
import { createHash } from "node:crypto";
import { connectStreams } from "../src/connect-streams.ts";

const RECORDS = 60;
const RECORD_BYTES = 300_000; // longer than what one read of a socket takes

const [, , url = "", connectLimit] = process.argv;
const connection = await connectStreams({ url, name: "tls-round", connectLimitMs: Number(connectLimit) });
const log = await connection.openLog({ stream: "TLS", subjects: ["tls.>"] });
const sent: string[] = [];
for (let n = 0; n < RECORDS; n++) {
  const data = createHash("shake256", { outputLength: RECORD_BYTES }).update(String(n)).digest();
  sent.push(digest(data));
  await log.append([{ subject: "tls.a", data }]);
}
const ended = new AbortController();
let same = 0;
for await (const { data } of log.read({ subjects: ["tls.>"], afterSequence: 0, signal: ended.signal })) {
  if (digest(data) === sent[same]) same++;
  if (same === RECORDS) break;
}
ended.abort();
console.log(`${same} of ${RECORDS} came as they went`);
await connection.close();

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
