import { CommandError, EXIT, type ExitCode } from "./exit-code.ts";

/** What a command has to say: the same as text for people and as JSON for programs. */
export interface CommandResult {
  readonly exitCode: ExitCode;
  readonly json: unknown;
  readonly text: string;
}

export interface OutputOptions {
  readonly json?: boolean;
}

/** Runs a command, prints its result and sets the exit code. Ctrl-C aborts the signal; a second one ends at once. */
export async function runCommand(
  options: OutputOptions,
  run: (signal: AbortSignal) => Promise<CommandResult>,
): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    const { exitCode, json, text } = await run(ending.signal);
    process.exitCode = exitCode;
    const output = options.json ? JSON.stringify(json, null, 2) : text;
    if (output !== "") process.stdout.write(`${output}\n`);
  } catch (error) {
    process.exitCode = printFailure(error, options);
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

/** Prints what went wrong on stderr (and as JSON on stdout when that was asked for) and gives the exit code. */
function printFailure(error: unknown, options: OutputOptions): ExitCode {
  const failure = error instanceof CommandError ? error : unforeseen(error);
  process.stderr.write(`firn: ${failure.message}\n${failure.fix === undefined ? "" : `${failure.fix}.\n`}`);
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ error: { message: failure.message, fix: failure.fix ?? null } }, null, 2)}\n`,
    );
  }
  return failure.exitCode;
}

/** A broken world is code 3: services away, files that cannot be read. */
function unforeseen(error: unknown): CommandError {
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError(EXIT.broken, message, { cause: error });
}
