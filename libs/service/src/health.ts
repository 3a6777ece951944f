/** A check answers nothing when all is well, else the reason why not, in a few words. A throw is a reason too. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly reason?: string }[];
}

/** Whether this process should get work. Live is simpler: it answers. */
export interface Health {
  /** Adds a check by name; ready means that all checks pass. */
  addCheck(name: string, check: HealthCheck): void;
  report(): Promise<HealthReport>;
  /** From now on the report says not ready: the process is ending. */
  drain(): void;
  readonly draining: boolean;
}

const CHECK_MS_MAX = 2_000;

/** Ready while every check is, and not draining. */
export function createHealth(): Health {
  const checks = new Map<string, HealthCheck>();
  let draining = false;
  return {
    get draining() {
      return draining;
    },
    addCheck(name, check) {
      checks.set(name, check);
    },
    async report() {
      const results = await Promise.all(
        [...checks].map(async ([name, check]) => {
          const reason = await runCheck(check);
          return reason === undefined ? { name, ok: true } : { name, ok: false, reason };
        }),
      );
      return { ready: results.every((result) => result.ok), checks: results };
    },
    drain() {
      draining = true;
      checks.set("drain", () => "the service is ending");
    },
  };
}

async function runCheck(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_MS_MAX} ms`), CHECK_MS_MAX);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
