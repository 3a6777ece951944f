/** What was looked at, as `firn doctor --json` prints it. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly message: string;
  /** What to do, where it is not well. */
  readonly fix: string | null;
}

/** Thrown by a check: what is wrong, and what to do where that differs from the check's usual advice. */
export class Finding extends Error {
  override readonly name = "Finding";
  readonly fix: string | undefined;

  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

/** Runs one check: its answer is what was found to be well; whatever it throws is not. */
export async function check(name: string, fix: string, look: () => Promise<string> | string): Promise<Check> {
  try {
    return { name, ok: true, message: await look(), fix: null };
  } catch (error) {
    const advice = error instanceof Finding ? (error.fix ?? fix) : fix;
    return { name, ok: false, message: reasonOf(error), fix: advice };
  }
}

/** fetch says "fetch failed" and keeps the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  const { code, message: deeper } = (cause ?? {}) as NodeJS.ErrnoException;
  if (message !== "fetch failed" && message !== "") return message;
  return deeper || code || (error as NodeJS.ErrnoException).code || "it failed without saying why";
}

const GIB = 1024 ** 3;

export function gibibytes(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
