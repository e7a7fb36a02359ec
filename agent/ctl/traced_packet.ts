import type { IpAddress } from "@contiv/net";

/** A packet's way through one data plane. */
export interface TracedPacket {
  /** Whether it goes from source to destination, or back. */
  readonly direction: "there" | "back";
  /** VPP's graph nodes that it met, in order: in the last one it left, or fell. */
  readonly path: readonly string[];
  /** As VPP prints it. */
  readonly text: string;
}

/** `00:00:12:345678: node-name`, as `show trace` begins each step. */
const STEP = /^\d\d:\d\d:\d\d:\d+: (\S+)/gm;

/** The packets between two addresses among those of `show trace`, in order. */
export function tracedPackets(
  trace: string,
  source: IpAddress,
  destination: IpAddress,
): readonly TracedPacket[] {
  const [there, back] = [between(source, destination), between(destination, source)];
  return trace.split(/^Packet \d+\s*$/m).slice(1).flatMap((record): TracedPacket[] => {
    const direction = there.test(record) ? "there" : back.test(record) ? "back" : undefined;
    if (direction === undefined) return [];
    const path = Array.from(record.matchAll(STEP), ([, node = ""]) => node);
    return [{ direction, path, text: record.replace(/^-+ Start of thread.*$/m, "").trim() }];
  });
}

function between(source: IpAddress, destination: IpAddress): RegExp {
  const literal = (address: IpAddress): string => String(address).replaceAll(".", "\\.");
  return new RegExp(`(?<![\\w.:])${literal(source)} -> ${literal(destination)}(?![\\w.:])`);
}
