import type { Memory } from "./machine.ts";
import type { MachineFiles } from "./machine_files.ts";

/** Memory of the machine and what of it this process may have. */
export function inspectMemory(files: MachineFiles): Memory {
  const info = files.text("/proc/meminfo") ?? "";
  const value = (name: string): number | undefined => {
    const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(info)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const total = value("MemTotal") ?? 0;
  const strict = files.text("/proc/sys/vm/overcommit_memory")?.trim() === "2";
  return {
    total,
    available: value("MemAvailable") ?? total,
    limit: groupLimit(files),
    promisable: strict
      ? Math.max(0, (value("CommitLimit") ?? 0) - (value("Committed_AS") ?? 0))
      : Infinity,
    shared: sharedMemory(files, total),
    lockable: lockable(files),
  };
}

/** The least limit of the control groups that this process is in, of either version. */
function groupLimit(files: MachineFiles): number {
  const limits: number[] = [];
  for (const line of (files.text("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const [directory, file] = controllers === ""
      ? ["/sys/fs/cgroup", "memory.max"]
      : ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"];
    if (controllers !== "" && !controllers.split(",").includes("memory")) continue;
    // In a container the group's path is that of the host and its files are at the top.
    for (let at = path.replace(/\/$/, "");; at = at.replace(/\/[^/]*$/, "")) {
      const limit = Number(files.text(`${directory}${at}/${file}`)?.trim());
      if (limit > 0) limits.push(limit);
      if (at === "") break;
    }
  }
  return Math.min(Infinity, ...limits);
}

/** Size of /dev/shm. Without a size of its own, a tmpfs takes half of the memory at most. */
function sharedMemory(files: MachineFiles, total: number): number | undefined {
  for (const line of (files.text("/proc/self/mountinfo") ?? "").split("\n")) {
    const [mount = "", superblock = ""] = line.split(" - ");
    if (mount.split(" ")[4] !== "/dev/shm") continue;
    const [, number = "", unit = ""] = /(?:^|[ ,])size=(\d+)([kmg]?)/.exec(superblock) ?? [];
    if (number === "") return total / 2;
    return Number(number) * (UNITS[unit] ?? 1);
  }
  return files.exists("/dev/shm") ? total / 2 : undefined;
}

const UNITS: Readonly<Record<string, number>> = { k: 1 << 10, m: 1 << 20, g: 1 << 30 };

function lockable(files: MachineFiles): number {
  const limits = files.text("/proc/self/limits") ?? "";
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1] ?? "unlimited";
  return soft === "unlimited" ? Infinity : Number(soft);
}
