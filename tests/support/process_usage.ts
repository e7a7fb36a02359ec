/** What a process takes of the machine. */
export interface ProcessUsage {
  /** Resident memory, shared pages of the program included, in MiB. */
  readonly residentMiB: number;
  /** The most that ever was. */
  readonly peakMiB: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/**
 * Reads /proc (proc(5)).
 * @returns `undefined` for a process that is gone
 */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const mebibytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
    return {
      residentMiB: mebibytes("VmRSS"),
      peakMiB: mebibytes("VmHWM"),
      descriptors: [...Deno.readDirSync(`/proc/${pid}/fd`)].length,
    };
  } catch (error) {
    // ESRCH where the process ends between open and read.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
