import {
  ETHERNET_HEADER_LENGTH,
  internetChecksum,
  IP4_HEADER_LENGTH,
  type IpAddress,
  IpPrefix,
  VNET_HEADER_LENGTH,
} from "@contiv/net";
import { cnatScene, NET } from "../../../agent/vswitch/core/cnat_testing.ts";
import { Reassembler } from "../../../agent/vswitch/core/fragment_testing.ts";
import type { Sent } from "../../../agent/vswitch/core/testing.ts";
import { NONE, UrpfMode } from "../../../agent/vswitch/core/types.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

const MAX_FRAME = 4_096;
const MAX_FLOWS = 1_000;
const MOST_HELD = 64;
/** What may leave by the uplink under another address than the node's: to these, and of the node. */
const INSIDE = ["10.1.0.0/16", "172.30.0.0/16", "fd00::/16", "ff00::/8", "224.0.0.0/4"];
const OWN = ["10.1.0.1/32", "172.30.1.1/32", "fd00:1::1/128", "fd00:3::1/128", "fe80::/10"];

/**
 * Frames of pods whose source is translated, and frames from outside to them: fragments above all.
 * On one node there are pods' only, and nothing of them may get out under an address of theirs.
 * There each comes between two fragments of an honest pod.
 */
export const cnat: FuzzTarget = {
  name: "cnat",
  corpus: () => readCorpus("cnat"),
  start: () => {
    const inside = INSIDE.map((text) => IpPrefix.parse(text));
    const own = OWN.map((text) => IpPrefix.parse(text));
    const isIn = (prefixes: readonly IpPrefix[], address: IpAddress): boolean =>
      prefixes.some((prefix) => prefix.contains(address));
    const pods = cnatScene({ maxFlows: MAX_FLOWS });
    const mixed = cnatScene({ maxFlows: MAX_FLOWS });
    for (const { bench } of [pods, mixed]) bench.plane.armTrace(50);
    // Who may say that it is from outside may begin what it then answers.
    for (const family of [4, 6] as const) {
      for (const port of [pods.pod, pods.pod2]) {
        pods.bench.plane.setUrpf(port, family, UrpfMode.STRICT, NONE);
      }
    }
    const [first, later] = readCorpus("cnat");
    if (first === undefined || later === undefined) throw new RangeError("The corpus is too small");
    const checkOut = (sent: readonly Sent[]): void => {
      for (const { ip, swIfIndex } of sent) {
        if (ip === undefined || swIfIndex !== pods.uplink) continue;
        const { source, destination } = ip;
        if (isIn(inside, destination) || isIn(own, source)) continue;
        const translated = NET[source.family].own;
        if (String(source) !== translated) {
          throw new Error(`${source} left for ${destination}: ${translated} wanted`);
        }
      }
    };
    let turn = 0;
    return {
      take: (input) => {
        const frame = input.slice(0, MAX_FRAME);
        turn++;
        // Every other IPv4 header is right again, or few would be read.
        if (turn % 2 === 0) fixChecksum(frame);
        const reassembler = new Reassembler();
        const begun = pods.bench.receiveBatch(pods.pod2, [first]);
        const sent = pods.bench.receiveBatch(pods.pod, [frame]);
        checkOut(sent);
        const ended = pods.bench.receiveBatch(pods.pod2, [later]);
        const whole = [...begun, ...ended].map(({ ip }) => ip && reassembler.take(ip));
        if (String(whole[1]?.source) !== NET[4].own) {
          throw new Error("The honest pod's datagram did not arrive whole");
        }
        const port = turn % 2 === 0 ? mixed.uplink : mixed.pod;
        return mixed.bench.receiveBatch(port, [frame]).length + sent.length > 0;
      },
      check: () => {
        for (const { bench } of [pods, mixed]) {
          bench.plane.tick(bench.nowMs);
          const { flows, held } = bench.plane.cnat;
          if (flows.size > MAX_FLOWS) throw new RangeError(`${flows.size} flows are kept`);
          if (held.size > MOST_HELD) throw new RangeError(`${held.size} fragments are held`);
        }
      },
    };
  },
};

/** Makes the checksum right of what may be an IPv4 header without options. */
function fixChecksum(frame: Uint8Array): void {
  const at = VNET_HEADER_LENGTH + ETHERNET_HEADER_LENGTH;
  if (frame.length < at + IP4_HEADER_LENGTH || frame[at] !== 0x45) return;
  frame.fill(0, at + 10, at + 12);
  const sum = internetChecksum(frame, at, IP4_HEADER_LENGTH);
  frame[at + 10] = sum >>> 8;
  frame[at + 11] = sum & 0xff;
}
