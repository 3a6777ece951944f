/** @firn/lake: planScan and scanSql, in sessions/firn-session.ts. */
export const firn = {
  name: "Firn",
  engine: "firn",
  read: ({ ask }, table, columns, { snapshotId, where }) => ask({ kind: "read", table, columns, snapshotId, where }),
};
