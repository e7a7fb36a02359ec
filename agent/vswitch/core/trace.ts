/** What one packet met, in order. */
interface TraceRecord {
  readonly nowMs: number;
  readonly node: string;
  readonly text: string;
}

const clock = (ms: number): string => {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const us = Math.floor((ms % 1000) * 1000);
  return `${two(ms / 3_600_000)}:${two(ms / 60_000 % 60)}:${two(ms / 1000 % 60)}:${
    String(us).padStart(6, "0")
  }`;
};

/** Records the ways of chosen packets. Costs nothing while it is not armed. */
export class Trace {
  readonly #limit: number;
  readonly #packets: TraceRecord[][] = [];
  #left = 0;
  #swIfIndex: number | undefined;

  /** @param limit packets kept at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  arm(count: number, swIfIndex: number | undefined): void {
    this.#left = Math.min(count, this.#limit);
    this.#swIfIndex = swIfIndex;
  }

  clear(): void {
    this.#packets.length = 0;
  }

  /** Whether a packet of this interface is to be traced; if so its record is begun. */
  begin(swIfIndex: number): boolean {
    if (this.#left === 0 || this.#packets.length >= this.#limit) return false;
    if (this.#swIfIndex !== undefined && this.#swIfIndex !== swIfIndex) return false;
    this.#left--;
    this.#packets.push([]);
    return true;
  }

  /** Adds to the packet begun last. */
  add(nowMs: number, node: string, text: string): void {
    this.#packets.at(-1)?.push({ nowMs, node, text });
  }

  /** In the way of VPP's `show trace`. */
  show(limit: number): string {
    const lines: string[] = ["------------------- Start of thread 0 vpp_main -------------------"];
    if (this.#packets.length === 0) lines.push("No packets in trace buffer");
    for (const [i, records] of this.#packets.slice(0, limit).entries()) {
      lines.push(`Packet ${i + 1}`, "");
      for (const { nowMs, node, text } of records) {
        lines.push(`${clock(nowMs)}: ${node}`);
        for (const line of text.split("\n")) lines.push(`  ${line}`);
      }
      lines.push("");
    }
    return lines.join("\n") + "\n";
  }
}
