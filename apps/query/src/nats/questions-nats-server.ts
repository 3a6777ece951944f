import { problemOf } from "@firn/service";
import { ServerNats } from "@nestjs/microservices";
import { isObservable, lastValueFrom } from "rxjs";

/** What the NATS client hands to its callback, as far as it is used here. */
interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  respond(data: string): boolean;
}

/**
 * Nest's NATS transport with plain bodies: what a client publishes is the parameters and what it gets back is the
 * answer or a problem document, without Nest's envelope of pattern, id and response, so that any NATS client can ask.
 */
export class QuestionsNatsServer extends ServerNats {
  override async handleMessage(channel: string, message: NatsMessage): Promise<void> {
    if (message.reply === undefined || message.reply === "") return;
    message.respond(await this.#answer(channel, message));
  }

  async #answer(channel: string, message: NatsMessage): Promise<string> {
    try {
      const handler = this.getHandlerByPattern(channel);
      if (handler === null) throw new Error(`nothing handles ${channel}`);
      const answer: unknown = await handler({ subject: message.subject, body: message.data });
      const text: unknown = isObservable(answer) ? await lastValueFrom(answer) : answer;
      return text as string;
    } catch (error) {
      return JSON.stringify(problemOf(error).body());
    }
  }
}
