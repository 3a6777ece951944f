// An engine in a process of its own that answers statements, one at a time, over its standard input and output
// (StatementLoop.java, statement_loop.py).
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const LOG_KEPT = 20_000;

/**
 * Starts it and waits until it is ready.
 * @param name as errors name it
 * @param limitMs for the start, and for each statement
 */
export async function startStatementProcess(name, command, args, { cwd, env = process.env, limitMs = 300_000 } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (bytes) => (log = (log + bytes).slice(-LOG_KEPT)));
  child.stdin.on("error", () => undefined); // it ended: the line that does not come says so
  const exited = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`exit code ${code ?? signal}`));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let turn = Promise.resolve();

  async function answer() {
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, limitMs, "late")));
    const line = await Promise.race([lines.next(), late]);
    clearTimeout(timer);
    if (line === "late") throw new Error(`${name}: no answer in ${limitMs} ms: ${log.slice(-2_000)}`);
    if (line.done) throw new Error(`${name} ended with ${await exited}: ${log.slice(-2_000)}`);
    const found = JSON.parse(line.value);
    if (found.error !== undefined) throw new Error(found.error);
    return found.rows;
  }

  /** Rows of a statement, each an array; see JsonText.java for how values are written. */
  function ask(statement) {
    const rows = turn.then(() => {
      child.stdin.write(`${Buffer.from(statement).toString("base64")}\n`);
      return answer();
    });
    turn = rows.catch(() => undefined);
    return rows;
  }

  async function stop() {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
    await exited;
    clearTimeout(timer);
  }

  try {
    await answer();
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { ask, stop, pid: child.pid };
}
