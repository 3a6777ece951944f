import { SingleBar } from "cli-progress";

/** How far a long command is; on a terminal a bar, elsewhere a line now and then. Everything goes to stderr. */
export interface Progress {
  update(done: number, note: string): void;
  say(line: string): void;
  end(): void;
}

const LINE_EVERY_MS = 5_000;

/** @param total what `done` goes up to */
export function startProgress(label: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? new BarProgress(label, total, stream) : new LineProgress(label, total, stream);
}

/** The part of a progress that begins behind `before`: one file of several. */
export function partOf(whole: Progress, before: number): Progress {
  return {
    update: (done, note) => whole.update(before + done, note),
    say: (line) => whole.say(line),
    end: () => undefined,
  };
}

class BarProgress implements Progress {
  readonly #bar: SingleBar;
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;

  constructor(label: string, total: number, stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#total = total;
    this.#bar = new SingleBar({
      format: `${label} {bar} {percentage}% {note}`,
      barsize: 30,
      stream,
      hideCursor: true,
      // Ctrl-C is ours: it ends the replay in order.
      gracefulExit: false,
    });
    this.#bar.start(Math.max(1, total), 0, { note: "" });
  }

  update(done: number, note: string): void {
    this.#bar.update(Math.min(done, Math.max(1, this.#total)), { note });
  }

  say(line: string): void {
    this.#stream.write(`\r\u001B[K${line}\n`);
  }

  end(): void {
    this.#bar.stop();
  }
}

class LineProgress implements Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #stream: NodeJS.WriteStream;
  #saidMs = Date.now();

  constructor(label: string, total: number, stream: NodeJS.WriteStream) {
    this.#label = label;
    this.#total = total;
    this.#stream = stream;
  }

  update(done: number, note: string): void {
    if (Date.now() - this.#saidMs < LINE_EVERY_MS) return;
    this.#saidMs = Date.now();
    const percent = Math.floor((100 * Math.min(done, this.#total)) / Math.max(1, this.#total));
    this.say(`${this.#label} ${percent}% ${note}`);
  }

  say(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  end(): void {
    // Nothing is left open.
  }
}
