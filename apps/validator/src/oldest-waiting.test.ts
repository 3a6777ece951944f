import { expect, test } from "vitest";
import { OldestWaiting } from "./oldest-waiting.ts";

test("the oldest run that is not appended counts, and nothing when nothing waits", () => {
  const waiting = new OldestWaiting();
  expect(waiting.seconds(0, 10_000)).toBe(0);
  waiting.taken(1_000);
  waiting.taken(4_000);
  expect(waiting.seconds(2, 10_000)).toBe(9);
  waiting.appended();
  expect(waiting.seconds(1, 10_000)).toBe(6);
  waiting.appended();
  expect(waiting.seconds(0, 10_000)).toBe(0);
});

test("a shard that stands still waits longer and longer, from what it had taken or was first seen to wait for", () => {
  const waiting = new OldestWaiting();
  waiting.taken(5_000);
  expect(waiting.seconds(3, 6_000)).toBe(1);
  waiting.forget();
  expect(waiting.seconds(3, 60_000)).toBe(55);
  const fresh = new OldestWaiting();
  expect(fresh.seconds(3, 60_000)).toBe(0);
  expect(fresh.seconds(3, 75_000)).toBe(15);
  expect(fresh.seconds(0, 76_000)).toBe(0);
});

test("clocks that differ make no negative lag", () => {
  const waiting = new OldestWaiting();
  waiting.taken(2_000);
  expect(waiting.seconds(1, 1_000)).toBe(0);
});
