import type { Logger, Stage } from "@firn/service";
import { Module, type DynamicModule, type LoggerService } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { QuestionService } from "../questions/question-service.ts";
import { LOG, QUESTION_SERVICE, REPLY_BYTES_MAX } from "../http/tokens.ts";
import { QuestionsNatsController } from "./questions-nats-controller.ts";
import { QuestionsNatsServer } from "./questions-nats-server.ts";

/** Of several query services with the same queue, one gets each request. */
const QUEUE = "firn-query";
/** What the protocol and the client add around a body. */
const REPLY_OVERHEAD_BYTES = 1024;
const REPLY_BYTES_DEFAULT = 1024 * 1024;

@Module({})
class NatsModule {}

export interface NatsStageOptions {
  readonly url: string;
  readonly questions: QuestionService;
  readonly log: Logger;
}

/** Answers questions on NATS for as long as the service runs; the connection comes back by itself, from the start on. */
export function natsStage({ url, questions, log }: NatsStageOptions): Stage & { isListening(): boolean } {
  let listening = false;
  return {
    isListening: () => listening,
    async run(signal) {
      const strategy = new QuestionsNatsServer({ ...natsOptions(url), queue: QUEUE } as never);
      const replyBytesMax = () => {
        const info = strategy.unwrap<{ info?: { max_payload: number } }>().info;
        return (info?.max_payload ?? REPLY_BYTES_DEFAULT) - REPLY_OVERHEAD_BYTES;
      };
      const app = await NestFactory.createMicroservice(natsModule(questions, replyBytesMax, log), {
        strategy,
        logger: quietLogger(log),
        abortOnError: false,
      });
      const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      if (signal.aborted) return;
      const listened = app.listen().then(() => {
        listening = true;
        log.info("questions are answered on nats", { subject: "query.>", queue: QUEUE });
      });
      await Promise.race([listened, ended]);
      await ended;
      if (listening) await app.close();
      listening = false;
    },
  };
}

function natsModule(questions: QuestionService, replyBytesMax: () => number, log: Logger): DynamicModule {
  return {
    module: NatsModule,
    controllers: [QuestionsNatsController],
    providers: [
      { provide: QUESTION_SERVICE, useValue: questions },
      { provide: REPLY_BYTES_MAX, useValue: replyBytesMax },
      { provide: LOG, useValue: log },
    ],
  };
}

function natsOptions(url: string) {
  const servers = url.split(",").map((one) => new URL(one.trim()));
  const [first] = servers;
  return {
    servers: servers.map((server) => server.host),
    name: "firn-query-questions",
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    ...(first!.username === ""
      ? {}
      : { user: decodeURIComponent(first!.username), pass: decodeURIComponent(first!.password) }),
    ...(first!.protocol === "tls:" ? { tls: {} } : {}),
  };
}

/** Nest's own lines: reconnects as warnings, its start-up chatter as debug. */
function quietLogger(log: Logger): LoggerService {
  const text = (message: unknown) => ({ detail: String(message) });
  return {
    log: (message: unknown) => log.debug("nats transport", text(message)),
    error: (message: unknown) => log.warn("nats transport", text(message)),
    warn: (message: unknown) => log.warn("nats transport", text(message)),
  };
}
