/** What `firn` ends with: done, the answer is no, wrong usage, the world is broken. */
export const EXIT = { done: 0, no: 1, usage: 2, broken: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence on stderr and an exit code; `fix` says what to do about it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;
  readonly fix: string | undefined;

  constructor(exitCode: ExitCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.fix = options.fix;
  }
}
