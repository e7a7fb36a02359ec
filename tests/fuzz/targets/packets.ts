import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { Dataplane } from "../../../agent/vswitch/core/mod.ts";
import { routeChange } from "../../../agent/vswitch/core/testing.ts";
import { PathType } from "../../../agent/vswitch/core/types.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

const MAC = MacAddress.parse("02:fe:00:00:00:01");
const PEER = MacAddress.parse("02:00:00:00:00:02");
const PORTS = ["10.1.1.1/24 fd00:1::1/64", "10.1.2.1/24 fd00:2::1/64"];
const MAX_NEIGHBORS = 100;
const GUARD = 64;
const MARK = 0xa5;
const MAX_FRAME = 4_096;

/** Frames with their virtio-net header, as ports give them to the packet core. */
export const packets: FuzzTarget = {
  name: "packets",
  corpus: () => readCorpus("packets"),
  start: () => {
    const buffer = new Uint8Array(GUARD + MAX_FRAME + GUARD);
    let end = 0;
    let emitted = 0;
    const plane: Dataplane = new Dataplane({
      maxNeighbors: MAX_NEIGHBORS,
      maxTraceRecords: 50,
      emit: (_port, bytes, offset, length) => {
        emitted++;
        const inside = offset >= 0 && offset + length <= bytes.length;
        const ours = bytes !== buffer || offset >= GUARD && offset + length <= end;
        if (!inside || !ours) throw new RangeError(`Emitted ${length} octets at ${offset}`);
      },
    });
    const ports = PORTS.map((addresses, i) => {
      const port = plane.createInterface({ kind: "memory", name: `mem${i}`, mac: MAC });
      plane.setFlags(port, true);
      for (const text of addresses.split(" ")) {
        plane.addDelAddress(port, true, false, IpPrefix.parse(text));
      }
      return port;
    });
    plane.setMtu(ports[1] ?? 0, [1300, 0, 0, 0]);
    for (const text of ["10.1.2.2", "fd00:2::2"]) {
      const address = IpAddress.parse(text);
      const swIfIndex = ports[1] ?? 0;
      const entry = { swIfIndex, address, mac: PEER, isStatic: true, noFibEntry: false };
      plane.addDelNeighbor(entry, true);
    }
    plane.addDelRoute(routeChange("10.9.0.0/16", [{ type: PathType.ICMP_UNREACH }]));
    plane.armTrace(1_000);
    let now = 0;
    return {
      take: (input) => {
        const frame = input.subarray(0, MAX_FRAME);
        end = GUARD + frame.length;
        buffer.fill(MARK, 0, GUARD);
        buffer.set(frame, GUARD);
        buffer.fill(MARK, end, end + GUARD);
        const before = emitted;
        now += 0.125;
        plane.process(buffer, GUARD, frame.length, ports[frame.length % 2] ?? 0, now);
        for (let i = 0; i < GUARD; i++) {
          if (buffer[i] !== MARK || buffer[end + i] !== MARK) {
            throw new RangeError("The frame was left: an octet beside it was written");
          }
        }
        return emitted > before;
      },
      check: () => {
        plane.tick(now);
        const neighbors = [...plane.neighbors(4)].length + [...plane.neighbors(6)].length;
        if (neighbors > 2 * MAX_NEIGHBORS) throw new RangeError(`${neighbors} neighbours are kept`);
      },
    };
  },
};
