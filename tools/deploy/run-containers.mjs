// Steps that the sets of chart and compose file have in common: containers start, end, and do the health lake's work.
import { join } from "node:path";
import { ContainerSet } from "./container-set.mjs";
import { createDatabase } from "./foreign-containers.mjs";

/** How long a container with a planted fault may try. */
const FAULT_LIMIT_MS = 8_000;

export class ContainerRun {
  #report;
  #root;

  /** @param {import("./report.mjs").Report} report */
  constructor(report, { root, hosts, programs }) {
    this.#report = report;
    this.#root = root;
    this.set = new ContainerSet({ root, hosts, programs });
  }

  /** Runs `work`, and ends what it has started whatever comes of it. */
  async during(work) {
    try {
      await work(this);
    } catch (error) {
      this.#report.check("the set runs", false, error.message);
    } finally {
      const bad = await this.set.stop();
      this.#report.check("every container ended in order when told to", bad.length === 0, bad.join("; "));
    }
  }

  check(name, ok, detail) {
    this.#report.check(name, ok, detail);
  }

  async started(container) {
    await this.set.start(container);
    this.#isReady(container);
  }

  /** The pods of a stage, and stages that do not wait for each other. */
  async startedTogether(containers) {
    await this.set.startTogether(containers);
    for (const container of containers) this.#isReady(container);
  }

  #isReady({ owner, image, args }) {
    this.check(`${owner}: ${image} ${args.join(" ").slice(0, 60)} is ready`, true);
  }

  async ended(container) {
    const { exitCode, output } = await this.set.run(container);
    this.check(
      `${container.owner}/${container.name}: ${container.args.join(" ").slice(0, 60)} ends with 0`,
      exitCode === 0,
      `${exitCode}: ${output.slice(-1_500)}`,
    );
    return output;
  }

  async startedOrEnded(container) {
    if (container.ends) await this.ended(container);
    else await this.startedForeign([container]);
  }

  /** Servers of others. PostgreSQL makes its database by itself in a container. */
  async startedForeign(containers, objects = []) {
    await this.startedTogether(containers);
    for (const { env, owner } of containers.filter(({ image }) => image.startsWith("postgres:"))) {
      const secret = objects.find(
        ({ kind, stringData }) => kind === "Secret" && stringData?.url && stringData.password,
      );
      const password = secret?.stringData.password ?? env.POSTGRES_PASSWORD;
      createDatabase(`postgres://firn:${password}@${await this.set.podAddress(owner, 5432)}/firn`);
    }
  }

  /**
   * What such a test is for: a container that is wrong does not come up.
   * @param faults name → what is changed, and perhaps what must be said then (`says`)
   * @param limitMs how long one may try of which nothing is known that it says
   */
  async faultsAreFound(container, faults, limitMs = FAULT_LIMIT_MS) {
    for (const [name, { says, ...fault }] of Object.entries(faults)) {
      const outcome = await this.set.start({ ...container, ...fault }, says ? undefined : limitMs).then(
        () => "it came up",
        ({ message }) => (says?.test(message) === false ? message : undefined),
      );
      this.check(`${name} keeps ${container.name} from coming up`, outcome === undefined, outcome);
    }
  }

  /** Runs the operator's command with `operator`'s environment. */
  firn(operator, ...args) {
    return this.ended({ ...operator, name: `firn-${args[0]}`, args: ["apps/cli/dist/main.js", ...args] });
  }

  /** Files into the lake, all of it in the tables, every aggregate equal to raw; asked with the operator's command. */
  async mainJob(operator, names = ["heartrateSeconds", "hourlyCalories"]) {
    const files = names.map((name) => join(this.#root, "samples", "health", `${name}.csv.gz`));
    await this.firn(operator, "replay", ...files);
    await this.firn(operator, "status", "--wait", "--timeout", "120");
    await this.firn(operator, "check", "health");
    await this.firn(operator, "verify", "health");
  }
}
