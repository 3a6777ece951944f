import { describe, expect, it } from "vitest";
import { backlogBytesMin } from "./backlog.ts";
import { pollMs, RoundCadence } from "./round-cadence.ts";

const none = () => Promise.resolve(0);
const backlog = () => Promise.resolve(backlogBytesMin);
const unasked = () => Promise.reject(new Error("the backlog does not decide here"));

describe("a lane of days", () => {
  it("starts the first round at once, and the next not before a short pause", async () => {
    const cadence = new RoundCadence({ followsDays: false });
    expect(await cadence.restMs(1_000, none)).toBe(0);
    cadence.roundStarted(1_000);
    expect(cadence.roundEnded(1_300)).toBe(300);
    expect(await cadence.restMs(1_340, unasked)).toBe(60);
    expect(await cadence.restMs(1_400, none)).toBe(0);
  });

  it("waits while a backlog drains, a minute at most, and looks every second whether it has ended", async () => {
    const cadence = new RoundCadence({ followsDays: false });
    expect(await cadence.restMs(5_000, backlog)).toBe(pollMs);
    expect(await cadence.restMs(64_500, backlog)).toBe(500);
    expect(await cadence.restMs(65_000, backlog)).toBe(0);
    expect(await cadence.restMs(20_000, none)).toBe(0);
  });

  it("lets a backlog take longer where a round did, ten minutes at most", async () => {
    for (const [roundMs, waitMs] of [
      [12_000, 120_000],
      [100_000, 600_000],
    ] as const) {
      const cadence = new RoundCadence({ followsDays: false });
      cadence.roundStarted(0);
      cadence.roundEnded(roundMs);
      const seenMs = roundMs + 1_000;
      expect(await cadence.restMs(seenMs, backlog)).toBe(pollMs);
      expect(await cadence.restMs(seenMs + waitMs - 1, backlog)).toBe(1);
      expect(await cadence.restMs(seenMs + waitMs, backlog)).toBe(0);
    }
  });

  it("counts the wait from the first change after the start of the last round", async () => {
    const cadence = new RoundCadence({ followsDays: false });
    expect(await cadence.restMs(0, backlog)).toBe(pollMs);
    cadence.roundStarted(60_000);
    expect(await cadence.restMs(100_000, backlog)).toBe(pollMs);
    expect(await cadence.restMs(159_900, backlog)).toBe(100);
  });

  it("does not count a round that failed", async () => {
    const cadence = new RoundCadence({ followsDays: false });
    cadence.roundStarted(0);
    expect(cadence.sinceRoundMs(50)).toBe(Infinity);
    expect(await cadence.restMs(50, none)).toBe(0);
  });
});

describe("a lane of weeks and months", () => {
  it("waits until the days have stood still for a moment, and asks nobody for a backlog", async () => {
    const cadence = new RoundCadence({ followsDays: true });
    cadence.roundStarted(0);
    cadence.roundEnded(100);
    cadence.sourceSeen(1n, 200);
    cadence.sourceSeen(1n, 500);
    expect(await cadence.restMs(500, unasked)).toBe(300);
    cadence.sourceSeen(2n, 700);
    expect(await cadence.restMs(800, unasked)).toBe(900);
    expect(await cadence.restMs(1_700, unasked)).toBe(0);
  });

  it("takes changes that keep coming for no rest, however far apart", async () => {
    const cadence = new RoundCadence({ followsDays: true });
    cadence.roundStarted(0);
    cadence.roundEnded(100);
    cadence.sourceSeen(1n, 200);
    cadence.sourceSeen(2n, 1_200);
    expect(await cadence.restMs(1_900, unasked)).toBe(1_300);
    cadence.sourceSeen(3n, 9_000);
    cadence.roundEnded(9_000);
    expect(await cadence.restMs(9_500, unasked)).toBe(100);
  });

  it("follows every few seconds while the days never stand still", async () => {
    const cadence = new RoundCadence({ followsDays: true, periodsIntervalMs: 2_000 });
    cadence.roundStarted(0);
    cadence.roundEnded(100);
    cadence.sourceSeen(1n, 1_900);
    expect(await cadence.restMs(1_950, unasked)).toBe(150);
    cadence.sourceSeen(2n, 2_100);
    expect(await cadence.restMs(2_100, unasked)).toBe(0);
  });
});
