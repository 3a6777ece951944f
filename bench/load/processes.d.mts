export function cpuSeconds(pid: number): number;
export function memoryMiB(pid: number): { anonymous: number; file: number; peak: number };
export function watchMemory(
  pids: Readonly<Record<string, number>>,
  everyMs?: number,
): () => { most: Record<string, number>; together: number };
