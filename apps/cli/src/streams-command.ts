import { backupStreams, isStreamError, restoreStreams, type ArchivedStream, type StreamErrorKind } from "@firn/stream";
import { Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { formatTable } from "./text-table.ts";

/** Also the start of the subjects at which the broker's user `backup` hears answers (deploy/nats/users.conf). */
const CLIENT_NAME = "backup";
const CONNECT_LIMIT_MS = 5_000;
const REFUSALS: ReadonlySet<StreamErrorKind> = new Set(["invalid"]);

const HELP = `
Streams, tables and the catalog's pointers belong together: docs/deploy.md, "Backup and restore", has the
steps around these two. Where NATS has users, this is for the user "backup" (NATS_URL). Copies have the form of the
"nats" command line, which can restore them too; those that it makes itself lack the streams' identity.

Examples
  firn streams backup ./streams-2026-11-22
  firn streams restore ./streams-2026-11-22

Exit codes: 0 done, 1 a copy or a stream is there already, or the broker refuses, 3 the broker does not answer.`;

export function streamsCommand(): Command {
  return new Command("streams")
    .summary("copy the streams to files and make them again")
    .description("Copies the streams of the broker to files, and makes lost ones again.")
    .addHelpText("after", HELP)
    .addCommand(
      archiveCommand(
        "backup",
        "copy every stream that lies on disk",
        "folder that gets a folder for each stream",
        (...args) => backupStreams(...args),
      ),
    )
    .addCommand(
      archiveCommand(
        "restore",
        "make the streams of a copy in an empty broker",
        "folder that backup wrote",
        (...args) => restoreStreams(...args),
      ),
    );
}

type Archive = (connect: Parameters<typeof backupStreams>[0], folder: string) => Promise<readonly ArchivedStream[]>;

function archiveCommand(name: string, summary: string, folderHelp: string, archive: Archive): Command {
  const command = new Command(name).summary(summary).description(summary).argument("<folder>", folderHelp);
  return withLakeOptions(command).action((folder: string, options: LakeOptions) =>
    runCommand(options, () => run(folder, options, archive)),
  );
}

async function run(folder: string, options: LakeOptions, archive: Archive): Promise<CommandResult> {
  const url = requireAddress(findLake(options), "nats");
  try {
    const streams = await archive({ url, name: CLIENT_NAME, connectLimitMs: CONNECT_LIMIT_MS }, folder);
    const rows = streams.map(({ name, messages, lastSequence }) => [name, messages, lastSequence]);
    return {
      exitCode: EXIT.done,
      json: streams.map(({ name, messages, lastSequence }) => ({ name, messages, last_sequence: lastSequence })),
      text: formatTable(["stream", "messages", "last sequence"], rows),
    };
  } catch (cause) {
    if (!isStreamError(cause)) throw cause;
    throw new CommandError(REFUSALS.has(cause.kind) ? EXIT.no : EXIT.broken, cause.message, { cause });
  }
}
