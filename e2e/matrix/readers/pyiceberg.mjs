/** sessions/pyiceberg_session.py. */
export const pyiceberg = {
  name: "PyIceberg",
  engine: "pyiceberg",
  read: ({ ask }, table, columns, { snapshotId, where }) => ask({ kind: "read", table, columns, snapshotId, where }),
};
