import { expect, test } from "vitest";
import { bytesOf, kindOf, textOf, type ContractScene } from "./broker.ts";
import { eventually } from "./eventually.ts";

export function messagingContract(scene: () => ContractScene): void {
  test("brings hints to whoever listens to the subject, also through wildcards", async () => {
    const { name, broker, streams } = scene();
    const other = await broker.connect();
    const heard: string[] = [];
    const end = other.subscribeHints(`${name}.committed.*.*`, (subject, data) =>
      heard.push(`${subject} ${textOf(data)}`),
    );
    const subject = `${name}.committed.health.raw`;
    // A hint may come before the subscription is known to the broker: repeat it, as a real sender does.
    await eventually(() => {
      streams.publishHint(subject, bytesOf("42"));
      return heard.length > 0;
    });
    expect(heard[0]).toBe(`${subject} 42`);
    end();
    await other.close();
    expect(await other.closed).toBeUndefined();
  });

  test("asks and is answered; a problem, nobody there and no answer in time are told apart", async () => {
    const { name, broker, streams } = scene();
    const other = await broker.connect();
    const ask = (question: string, timeoutMs = 5_000) =>
      streams.request(`${name}.q.${question}`, bytesOf("17"), { timeoutMs });
    expect(await kindOf(ask("nobody"))).toBe("unavailable");
    other.reply(`${name}.q.broken`, { queue: "query" }, async () => Promise.reject(new Error("no such täble:\nx")));
    other.reply(`${name}.q.never`, { queue: "query" }, () => new Promise<Uint8Array>(() => {}));
    other.reply(`${name}.q.double`, { queue: "query" }, async (data) => bytesOf(`${Number(textOf(data)) * 2}`));
    // The broker hears of the three in this order: once the last answers, all are there.
    await eventually(async () => (await kindOf(ask("double"))) === "no error");
    expect(await kindOf(ask("never", 50))).toBe("unknown_outcome");
    expect(textOf(await ask("double"))).toBe("34");
    await expect(ask("broken")).rejects.toMatchObject({ kind: "invalid", message: "no such täble:\nx" });
    await other.close();
  });

  test("keeps attempts by key", async () => {
    const { name, broker, streams } = scene();
    const attempts = await streams.attempts(`${name}-attempts`);
    const key = "validator/3/17";
    expect(await attempts.get(key)).toBeUndefined();
    await attempts.put(key, { count: 1 });
    await attempts.put(key, { count: 2, reason: "crashed" });
    await attempts.put("other", 7);
    const other = await broker.connect();
    const theirs = await other.attempts(`${name}-attempts`);
    expect(await theirs.get(key)).toEqual({ count: 2, reason: "crashed" });
    await theirs.delete(key);
    await theirs.delete("never-there");
    expect(await attempts.get(key)).toBeUndefined();
    expect(await attempts.get("other")).toBe(7);
    expect(await kindOf(attempts.put("no key", 1))).toBe("invalid");
    await other.close();
  });

  test("shows every member's newest notice to the others of its group, with the broker's time", async () => {
    const { name, broker, streams } = scene();
    const board = await streams.members(`${name}-members`);
    expect(await board.read("writer")).toEqual([]);
    await board.put("writer", "host-1", { holds: ["a"] });
    const other = await broker.connect();
    const theirs = await other.members(`${name}-members`);
    await theirs.put("writer", "host-2", { holds: [] });
    await theirs.put("validator", "host-2", { holds: ["b"] });
    await board.put("writer", "host-1", { holds: ["a", "c"] });
    const notices = [...(await theirs.read("writer"))].sort((a, b) => a.member.localeCompare(b.member));
    expect(notices.map(({ member, value }) => ({ member, value }))).toEqual([
      { member: "host-1", value: { holds: ["a", "c"] } },
      { member: "host-2", value: { holds: [] } },
    ]);
    expect(notices[0]!.timestampMs).toBeGreaterThanOrEqual(notices[1]!.timestampMs);
    expect(await kindOf(board.put("writer", "no name", {}))).toBe("invalid");
    await other.close();
  });
}
