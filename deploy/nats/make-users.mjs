// Writes users.conf: the NATS user of each service with the subjects that it needs and no more.
//   node deploy/nats/make-users.mjs            writes the file
//   node deploy/nats/make-users.mjs --check    exit 1 where the file is not what this would write
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "users.conf");

/** Looks at a stream, reads it, and makes it where it is missing: whoever comes first does. */
const reads = (stream) => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.CREATE.${stream}`,
  `$JS.API.STREAM.UPDATE.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.INFO.${stream}.>`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
  `$JS.API.CONSUMER.DELETE.${stream}.>`,
];
/** Removes what the lake has behind it. */
const trims = (stream) => [`$JS.API.STREAM.PURGE.${stream}`];
/** A bucket is opened with a look at the account's limits. */
const looksAt = (bucket) => ["$JS.API.INFO", ...reads(`KV_${bucket}`)];
const keeps = (bucket) => [...looksAt(bucket), `$KV.${bucket}.>`];
/** Which processes of a service there are, and what each does. */
const shares = (group) => ({
  publish: [...looksAt("firn-members"), `$KV.firn-members.${group}.>`, `members.${group}`],
  subscribe: [`members.${group}`],
});
const none = { publish: [], subscribe: [] };

/** By service: what it may publish and subscribe to, and whether it answers requests. */
const users = {
  ingest: {
    publish: ["intake.>", ...reads("INTAKE"), ...trims("INTAKE"), ...keeps("firn")],
    subscribe: ["firn.ingest.kafka"],
    share: none,
  },
  validator: {
    publish: [
      ...["accepted.>", "rejected.>"],
      ...reads("INTAKE"),
      ...trims("INTAKE"),
      ...reads("VALIDATED"),
      ...keeps("firn"),
    ],
    subscribe: [],
    share: shares("validator"),
  },
  "catalog-writer": {
    publish: [
      // One writer asks the others for the tables that they write.
      ...["lake.committed.>", "catalog-writer.maintain.>"],
      ...reads("INTAKE"),
      ...reads("VALIDATED"),
      ...trims("VALIDATED"),
      ...reads("ROLLUP"),
      ...trims("ROLLUP"),
      ...keeps("firn"),
    ],
    subscribe: ["catalog-writer.maintain", "catalog-writer.maintain.>"],
    share: shares("catalog-writer"),
  },
  aggregator: {
    publish: ["rollup.>", "aggregator.rebuild.>", ...reads("ROLLUP"), ...reads("VALIDATED")],
    subscribe: ["aggregator.rebuild", "aggregator.rebuild.>", "lake.committed.>"],
    share: shares("aggregator"),
  },
  catalog: { publish: ["lake.committed.>"], subscribe: [], share: none },
  query: {
    publish: ["firn.ingest.kafka", ...reads("INTAKE"), ...reads("VALIDATED"), ...reads("ROLLUP"), ...looksAt("firn")],
    subscribe: ["query.>", "lake.committed.>"],
    share: none,
  },
  market: { publish: [], subscribe: ["market.quality"], share: none },
  // The command firn and the jobs that make streams, resume, rebuild, maintain and look after a lake.
  firn: {
    publish: [
      ...["aggregator.rebuild", "catalog-writer.maintain", "market.quality", "firn.ingest.kafka", "query.>"],
      "$JS.API.STREAM.NAMES",
      "$JS.API.STREAM.LIST",
      ...["INTAKE", "VALIDATED", "ROLLUP"].flatMap(reads),
      ...keeps("firn"),
      ...looksAt("firn-members"),
    ],
    subscribe: [],
    share: none,
  },
  // firn streams: copies streams and makes lost ones again; it can neither read single messages nor delete anything.
  backup: {
    publish: [
      ...["$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.*"],
      ...["$JS.API.STREAM.SNAPSHOT.*", "$JS.SNAPSHOT.ACK.>"],
      ...["$JS.API.STREAM.RESTORE.*", "$JS.SNAPSHOT.RESTORE.>"],
    ],
    subscribe: [],
    share: none,
  },
  // Applications that ask questions.
  reader: { publish: ["query.>"], subscribe: [], share: none },
};

/** Answers to what a service asked come to a place of its own, so that no other user hears them. */
const inboxesOf = (name) => {
  if (name === "reader") return ["_INBOX.>"];
  return name === "firn" ? ["_FIRN.firn.>", "_FIRN.firn-doctor.>"] : [`_FIRN.${name}.>`];
};

const list = (subjects, indent) => `[\n${subjects.map((one) => `${indent}  "${one}"`).join(",\n")}\n${indent}]`;

function userConf([name, { publish, subscribe, share }]) {
  const allowed = [...new Set([...publish, ...share.publish])];
  const heard = [...inboxesOf(name), ...subscribe, ...share.subscribe];
  const answers = subscribe.length === 0 ? "" : `\n        allow_responses: { max: 1, expires: "1h" }`;
  return `    {
      user: "${name}"
      password: $NATS_PASSWORD_${name.toUpperCase().replaceAll("-", "_")}
      permissions: {
        publish: { allow: ${list(allowed, "        ")} }
        subscribe: { allow: ${list(heard, "        ")} }${answers}
      }
    }`;
}

const text = `# Written by make-users.mjs. A user for each service of Firn, with the subjects that it needs and no more.
# Passwords come from the environment of nats-server; they begin with a letter, and hold letters and digits alone.
authorization {
  users: [
${Object.entries(users).map(userConf).join("\n")}
  ]
}
`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("deploy/nats/users.conf is not what make-users.mjs writes: run node deploy/nats/make-users.mjs");
    process.exit(1);
  }
} else writeFileSync(file, text);
