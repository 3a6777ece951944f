import { describe, expect, it } from "vitest";
import { commitDue, defaultCadence, intervalMs } from "./cadence.ts";

const state = { rows: 0, bytes: 1000, ageMs: 0, quietMs: 0, lastCommitMs: 100, lastBytes: 1000 };

describe("commitDue", () => {
  it("commits a batch that is large, old for its cost, or followed by nothing", () => {
    expect(commitDue(defaultCadence, { ...state, bytes: defaultCadence.bytesMax }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400 }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400, lastCommitMs: 2000 }).due).toBe(false);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400, lastCommitMs: 2000, quietMs: 250 }).due).toBe(false);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400, lastCommitMs: 2000, quietMs: 1000 }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400, lastCommitMs: 9000, quietMs: 1000 }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...state, ageMs: 400, lastCommitMs: 200, quietMs: 250 }).due).toBe(true);
  });

  it("says how long to wait, never longer than until the batch is due", () => {
    expect(commitDue(defaultCadence, state)).toEqual({ due: false, waitMs: 400 });
    expect(commitDue(defaultCadence, { ...state, ageMs: 390, lastCommitMs: 2000, quietMs: 100 })).toEqual({
      due: false,
      waitMs: 900,
    });
  });

  it("expects a small batch to cost less than the large one before it, but never nothing", () => {
    const small = { ...state, bytes: 100, lastBytes: 1000, lastCommitMs: 9000 };
    expect(commitDue(defaultCadence, { ...small, ageMs: 2200 }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...small, bytes: 1, ageMs: 2100 }).due).toBe(false);
  });

  it("expects a light commit to cost the same again, however few its rows", () => {
    const light = { ...state, bytes: 100, lastBytes: 1000, lastCommitMs: 400 };
    expect(commitDue(defaultCadence, { ...light, ageMs: 750 }).due).toBe(false);
    expect(commitDue(defaultCadence, { ...light, ageMs: 770 }).due).toBe(true);
  });

  it("lets a backfill wait for better files, and not a light load that is as old", () => {
    const backfill = { ...state, bytes: 40 * 1024 * 1024, lastBytes: 40 * 1024 * 1024, ageMs: 1000 };
    expect(commitDue(defaultCadence, backfill).due).toBe(false);
    expect(commitDue(defaultCadence, { ...backfill, ageMs: defaultCadence.bulkIntervalMs }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...backfill, quietMs: 1000 }).due).toBe(false);
    expect(commitDue(defaultCadence, { ...backfill, quietMs: defaultCadence.bulkQuietMs }).due).toBe(true);
    expect(commitDue(defaultCadence, { ...backfill, bytes: 1024 * 1024 }).due).toBe(true);
  });

  it("bounds the interval", () => {
    expect(intervalMs(defaultCadence, 0)).toBe(defaultCadence.intervalMinMs);
    expect(intervalMs(defaultCadence, 60_000)).toBe(defaultCadence.intervalMaxMs);
  });
});
