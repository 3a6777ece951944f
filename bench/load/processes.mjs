// CPU and memory of processes, as the kernel counts them.
import { readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** CPU seconds (user + system) that the process has used since it started; 0 when it is gone. */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}

/** CPU seconds that each of the processes uses from now on, told when asked. */
export function watchCpu(pids) {
  const before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]));
  return () => Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid) - before[name]]));
}

/** Resident memory in MiB: anonymous, of files, and the most that was ever resident. */
export function memoryMiB(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1024;
    return { anonymous: kib("RssAnon"), file: kib("RssFile"), peak: kib("VmHWM") };
  } catch {
    return { anonymous: 0, file: 0, peak: 0 };
  }
}

/** Watches processes until `stop`: the most anonymous memory that each had, and all together. */
export function watchMemory(pids, everyMs = 250) {
  const most = Object.fromEntries(Object.keys(pids).map((name) => [name, 0]));
  let together = 0;
  const timer = setInterval(() => {
    let sum = 0;
    for (const [name, pid] of Object.entries(pids)) {
      const { anonymous } = memoryMiB(pid);
      most[name] = Math.max(most[name], anonymous);
      sum += anonymous;
    }
    together = Math.max(together, sum);
  }, everyMs);
  return () => {
    clearInterval(timer);
    return { most, together };
  };
}
