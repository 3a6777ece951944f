import { Controller, Get, Inject, Res } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import { HEALTH, METRICS } from "./tokens.ts";

/** `/health/live` answers as long as the process does; `/health/ready` is 503 with the failing checks; `/metrics`. */
@Controller()
export class HealthController {
  readonly #health: Health;
  readonly #metrics: Metrics;

  constructor(@Inject(HEALTH) health: Health, @Inject(METRICS) metrics: Metrics) {
    this.#health = health;
    this.#metrics = metrics;
  }

  @Get("health/live")
  live(): { status: string } {
    return { status: "live" };
  }

  @Get("health/ready")
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const report = await this.#health.report();
    await reply
      .code(report.ready ? 200 : 503)
      .send({ status: report.ready ? "ready" : "not ready", checks: report.checks });
  }

  @Get("metrics")
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.#metrics;
    await reply.type(registry.contentType).send(await registry.metrics());
  }
}
