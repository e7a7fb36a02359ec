import { node } from "../../../agent/vswitch/core/overlay_testing.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

const MAX_FRAME = 4_096;
const MAX_NEIGHBORS = 100;

/**
 * Frames as nodes of a cluster get them, by the uplink and from pods: tunnels' packets, single and
 * many in one frame, over both families. Each comes between two segments of an honest peer.
 */
export const overlay: FuzzTarget = {
  name: "overlay",
  corpus: () => readCorpus("overlay"),
  start: () => {
    const nodes = ([4, 6] as const).map((family) => {
      const made = node(2, family, { maxNeighbors: MAX_NEIGHBORS });
      return { ...made, honest: honestSegments(family) };
    });
    for (const { bench } of nodes) bench.plane.armTrace(50);
    let turn = 0;
    return {
      take: (input) => {
        const frame = input.subarray(0, MAX_FRAME);
        turn++;
        let read = false;
        for (const { bench, honest, pod, uplink } of nodes) {
          const port = turn % 4 === 0 ? pod : uplink;
          const [first, second] = honest;
          const alone = bench.receiveBatch(port, [frame]).length;
          read ||= alone > 0;
          if (port !== uplink || first === undefined || second === undefined) continue;
          const sent = bench.receiveBatch(uplink, [first, frame, second]);
          const honestOctets = sent.filter(({ bytes }) => bytes.at(-1) === HONEST).length;
          if (honestOctets === 0) throw new Error("The honest peer's segments did not arrive");
        }
        return read;
      },
      check: () => {
        for (const { bench } of nodes) {
          bench.events.length = 0;
          bench.plane.tick(bench.nowMs);
          const { plane } = bench;
          const neighbors = [...plane.neighbors(4)].length + [...plane.neighbors(6)].length;
          if (neighbors > 2 * MAX_NEIGHBORS) {
            throw new RangeError(`${neighbors} neighbours are kept`);
          }
        }
      },
    };
  },
};

/** The last octet of an honest peer's segments. */
const HONEST = 0x5a;

/** The corpus has them: two segments that follow each other, for each underlay. */
function honestSegments(family: 4 | 6): readonly Uint8Array[] {
  const seeds = readCorpus("overlay");
  return family === 4 ? seeds.slice(0, 2) : seeds.slice(2, 4);
}
