// What a test script says as it goes on: one line for each thing that it has looked at, and the counts at the end.

export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  #stepMs = 0;

  /** Begins a part of the test, and says how long the one before took. */
  step(name) {
    this.#endStep();
    console.log(`\n${name}`);
    this.#stepMs = Date.now();
  }

  check(name, ok, detail) {
    if (ok) this.passed++;
    else this.failed++;
    console.log(`  ${ok ? "✓" : "✗"} ${name}${ok ? "" : `: ${detail}`}`);
  }

  skip(name, why) {
    this.skipped++;
    console.log(`  - ${name}: ${why}`);
  }

  /** What another report has written, with its last line of counts. */
  add(text) {
    const [last, passed, failed, skipped] = /^(\d+) passed, (\d+) failed, (\d+) skipped\n*$/m.exec(text) ?? [];
    process.stdout.write(last === undefined ? text : text.replace(last, ""));
    if (last === undefined) return this.check("the report is whole", false, "it has no counts");
    this.passed += Number(passed);
    this.failed += Number(failed);
    this.skipped += Number(skipped);
  }

  /** The last line, and the exit code of the process. */
  end() {
    this.#endStep();
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
    process.exitCode = this.failed === 0 && this.passed > 0 ? 0 : 1;
  }

  #endStep() {
    if (this.#stepMs > 0) console.log(`  (${Math.round((Date.now() - this.#stepMs) / 1000)} s)`);
  }
}
