/**
 * An internal client: asks the same questions over NATS and over HTTP, typed by the definitions of the questions.
 *
 *   npm start                                            (in one terminal)
 *   node tools/run-ts.mjs examples/internal-client/main.ts [USER] [TYPE]   (in another)
 *
 * NATS_URL and FIRN_QUERY_URL name other addresses than those of a laptop.
 */
import { ClientError, connectNatsClient, queryClient, type QuestionAsker } from "@firn/client";

const [user = "6117666160", dataType = "stepCount"] = process.argv.slice(2);
const natsUrl = process.env["NATS_URL"] ?? "nats://127.0.0.1:4222";
const queryUrl = process.env["FIRN_QUERY_URL"] ?? "http://127.0.0.1:4200";

/** The newest seven days, the same code whatever carries the question. */
async function printWeek(name: string, asker: QuestionAsker): Promise<void> {
  const { data, meta, stats } = await asker.ask("health.daily", { user_id: user, data_type: dataType, last: 7 });
  console.log(`\n${name}: ${stats.rows} days of ${dataType} (${String(meta.unit)}) in ${stats.elapsed_ms} ms`);
  for (const row of data)
    console.log(`  ${row.aggregation_date}  sum ${row.sum_value}  avg ${row.avg_value.toFixed(1)}`);
  const [table] = Object.entries(meta.tables);
  console.log(`  from ${table?.[0]}, snapshot ${table?.[1].snapshot_id}, complete through ${meta.complete_through}`);
}

async function main(): Promise<void> {
  const http = queryClient(queryUrl);
  const nats = await connectNatsClient(natsUrl, { name: "example" });
  try {
    const types = await nats.ask("health.types", { user_id: user });
    console.log(`${user} has`, types.data.map((row) => `${row.data_type} (${row.rows} rows)`).join(", ") || "nothing");
    await printWeek("NATS", nats);
    await printWeek("HTTP", http);

    // A parameter that does not exist is told by name, not ignored.
    await nats.ask("health.daily", { user_id: user, data_type: dataType, days: 7 } as never).catch((error: unknown) => {
      if (error instanceof ClientError) console.log(`\nrefused, as it should be: ${error.message}`);
      else throw error;
    });

    // All samples, page by page, all from one snapshot.
    let samples = 0;
    for await (const _ of http.rows("health.raw", { user_id: user, data_type: dataType, limit: 1000 })) samples += 1;
    console.log(`\n${samples} samples in all`);
  } finally {
    await nats.close();
  }
}

await main();
