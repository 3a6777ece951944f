// What scripts that a person runs have in common: `--help` prints the comment at the head of the script, and an option
// that it has not ends it with one line and exit code 2.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

/**
 * The values of the options that the script was called with.
 * @param options as `parseArgs` of node:util takes them
 */
export function scriptOptions(options) {
  helpIfAsked();
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${error.message}\nTry --help.\n`);
    return process.exit(2);
  }
}

/** For scripts whose arguments are not options of their own. Comes before anything that takes long. */
export function helpIfAsked() {
  if (!process.argv.slice(2).includes("--help")) return;
  process.stdout.write(headComment(readFileSync(process.argv[1], "utf8")));
  process.exit(0);
}

/** The comment that a script begins with, without its marks. */
export function headComment(text) {
  const lines = text.split("\n").filter((line, at) => at > 0 || !line.startsWith("#!"));
  const end = lines.findIndex((line) => !/^(\/\/|\/\*\*| \*)/.test(line));
  const comment = lines.slice(0, end).map((line) => line.replace(/^(\/\/ ?|\/\*\*| \*\/| \* ?)/, ""));
  return `${comment.join("\n").trim()}\n`;
}
