// A service for the process tests: bundled and started by them, steered by DEMO_MODE.
import { Controller, Get, Module, Post, Body } from "@nestjs/common";
import { defineSettings, Problem, runService } from "../src/index.ts";

@Controller("demo")
class DemoController {
  @Get("slow")
  async slow(): Promise<{ done: boolean }> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { done: true };
  }

  @Get("problem")
  problem(): never {
    throw new Problem(400, "bad_demo", "The demo is bad.", {
      errors: [{ field: "demo", rule: "good", message: "demo must be good" }],
    });
  }

  @Get("crash")
  crash(): never {
    throw new Error("a secret reason");
  }

  @Post("echo")
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

@Module({ controllers: [DemoController] })
export class DemoModule {}

const settings = defineSettings({
  mode: {
    env: "DEMO_MODE",
    type: "string",
    choices: ["calm", "stage-fails", "uncaught"],
    required: true,
    help: "What the demo does.",
  },
  password: { env: "DEMO_PASSWORD", type: "string", default: "hunter2", secret: true, help: "A secret." },
});

await runService({
  name: "demo",
  summary: "shows how a service behaves",
  port: 0,
  settings,
  async setup({ settings: { mode }, log }) {
    if (mode === "uncaught") setTimeout(() => Promise.reject(new Error("nobody caught this")), 20);
    return {
      modules: [{ module: DemoModule }],
      stages: [
        {
          async run(signal) {
            if (mode === "stage-fails") throw new Error("the stage broke");
            await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
            log.info("stage drained");
          },
        },
      ],
      async onClose() {
        log.info("parts closed");
      },
    };
  },
});
