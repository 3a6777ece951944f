// What the health lake must count when payloads arrive, some of them perhaps more than once: an answer that was lost
// makes a sender send again what may have been stored.

/** Outcomes by payload, and what each further arrival of it right after the first would add. */
export function judgePayloads(bodies) {
  const latest = new Map();
  const refused = new Set();
  const judge = (userId, samples) => {
    const counts = { received: samples.length, stored: 0, corrected: 0, duplicates: 0, rejected: 0 };
    for (const sample of samples) counts[outcome(userId, sample)]++;
    return counts;
  };
  const outcome = (userId, sample) => {
    const key = `${userId} ${sample.id}`;
    const content = JSON.stringify(sample);
    if (sample.value === 1e9) {
      if (refused.has(key + content)) return "duplicates";
      refused.add(key + content);
      return "rejected";
    }
    const before = latest.get(key);
    latest.set(key, content);
    if (before === undefined) return "stored";
    return before === content ? "duplicates" : "corrected";
  };
  return bodies.map((body) => {
    const { userId, samples } = JSON.parse(body);
    return { first: judge(userId, samples), again: judge(userId, samples) };
  });
}

const names = ["received", "stored", "corrected", "duplicates", "rejected"];

/**
 * The counts that are possible when every payload was stored once and each that was sent again perhaps once more.
 * @param sentAgain how often each payload was sent again, by its index
 */
export function possibleCounts(judged, sentAgain) {
  const total = names.map((name) => judged.reduce((sum, { first }) => sum + first[name], 0));
  let possible = new Map([[total.join(), total]]);
  for (const [index, times] of sentAgain) {
    const { again } = judged[index];
    for (let time = 0; time < times; time++) {
      const next = new Map(possible);
      for (const counts of possible.values()) {
        const more = names.map((name, at) => counts[at] + again[name]);
        next.set(more.join(), more);
      }
      possible = next;
    }
  }
  return [...possible.values()].map((counts) => Object.fromEntries(names.map((name, at) => [name, counts[at]])));
}

export const matches = (counts, expected) => names.every((name) => counts[name] === expected[name]);
