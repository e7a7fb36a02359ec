/** Fragments in any mixture against the same datagrams sent whole. Record: 0017. */
import { assertEquals } from "@contiv/assert";
import { parseTransport } from "@contiv/net";
import { random } from "../../../tests/support/random.ts";
import { type CnatScene, cnatScene, NET, pass, POD_MAC, portOf } from "./cnat_testing.ts";
import { datagram, endsOf, fragmentsOf, Reassembler } from "./fragment_testing.ts";

/** A whole number from 0 to below another. */
type Random = (below: number) => number;

interface Pending {
  readonly from: number;
  readonly parts: Uint8Array[];
  readonly wanted: string;
}

Deno.test("whatever is cut, mixed and turned round arrives as what was sent whole", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const next = random(seed);
    const pick: Random = (below) => Math.floor(next() * below);
    const cut = cnatScene();
    // The oracle takes each datagram whole, one after the other, and so names the same ports.
    const oracle = cnatScene();
    for (let round = 0; round < 4; round++) {
      const questions: Pending[] = [];
      const answers: Pending[] = [];
      for (let i = 0; i < 8; i++) {
        const net = NET[pick(2) ? 4 : 6];
        const [from, source] = pick(2) ? [cut.pod, net.pod] : [cut.pod2, net.pod2];
        // Never the same twice: by its length a datagram is known again.
        const length = 100 + (round * 8 + i) * 90 + pick(80);
        const asks = pick(4) > 0;
        const ports = [1 + pick(3), asks ? 53 : 54] as const;
        const whole = asks
          ? datagram(source, net.outside, ports, length)
          : datagram(net.outside, source, [ports[1], ports[0]], length);
        const rx = asks ? from : cut.uplink;
        const [out] = pass(oracle, rx, [whole]).whole;
        questions.push(pending(pick, rx, whole, endsOf(out!), length));
        // Flows must begin in the oracle's order; their later fragments come when they like.
        const reply = asks
          ? datagram(net.outside, String(out!.source), [53, portOf(out)], length + 4000)
          : datagram(source, net.outside, ports, length + 4000);
        const back = asks ? cut.uplink : from;
        const [answer] = pass(oracle, back, [reply]).whole;
        answers.push(pending(pick, back, reply, endsOf(answer!), length + 4000));
      }
      run(pick, cut, questions);
      run(pick, cut, answers);
    }
    assertEquals(cut.bench.plane.cnat.held.size, 0, `seed ${seed}`);
  }
});

let nextId = 1;

function pending(
  pick: Random,
  from: number,
  packet: Uint8Array,
  ends: string,
  length: number,
): Pending {
  const sizes = Array.from({ length: pick(4) }, () => 8 * (2 + pick(170)));
  const id = nextId = nextId % 60_000 + 1;
  return { from, parts: fragmentsOf(packet, id, sizes), wanted: `${ends} ${length}` };
}

/** Sends the fragments mixed: a pod's each in its order, those from outside in any. */
function run(pick: Random, scene: CnatScene, all: Pending[]): void {
  const { bench, uplink } = scene;
  const reassembler = new Reassembler();
  const seen: string[] = [];
  const queue: { from: number; packet: Uint8Array }[] = [];
  const rest = all.map(({ from, parts }) => ({ from, parts: parts.slice(1) }));
  const early = pick(2) === 1;
  for (const [i, { from, parts }] of all.entries()) {
    const before = early && from === uplink ? pick(rest[i]!.parts.length + 1) : 0;
    for (let j = 0; j < before; j++) queue.push({ from, packet: rest[i]!.parts.pop()! });
    queue.push({ from, packet: parts[0]! });
  }
  let left = rest.filter(({ parts }) => parts.length > 0);
  while (left.length > 0) {
    const { from, parts } = left[pick(left.length)]!;
    const at = from === uplink ? pick(parts.length) : 0;
    queue.push({ from, packet: parts.splice(at, 1)[0]! });
    left = left.filter(({ parts }) => parts.length > 0);
  }
  for (const { from, packet } of queue) {
    for (const { ip } of bench.receiveIp(from, POD_MAC, packet)) {
      const whole = reassembler.take(ip!);
      if (whole === undefined) continue;
      seen.push(`${endsOf(whole)} ${parseTransport(whole)!.payload.length}`);
    }
  }
  assertEquals(seen.toSorted(), all.map(({ wanted }) => wanted).toSorted());
  assertEquals(reassembler.pending, 0);
}
