/** What an update moves: lb_type and hash, and maglev's slots. Record: 0014. */
import { assert, assertEquals } from "@contiv/assert";
import { type Endpoint, setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import { probe } from "./lab/probe.ts";

const VIP = "10.96.0.1|80";

function backends(count: number, first = 0): Endpoint[] {
  return Array.from(
    { length: count },
    (_, i): Endpoint => `10.1.${(i + first) >> 8}.${(i + first) & 255}|8080`,
  );
}

/** The backend of each maglev slot, by its address and port. */
async function slots(lab: Lab): Promise<Map<number, string>> {
  const text = await lab.cli("show cnat translation");
  const names = Array.from(text.matchAll(/->([0-9.]+;\d+)/g), ([, name = ""]) => name);
  const found = new Map<number, string>();
  for (const [, index, hex = ""] of text.matchAll(/backend#(\d+): ([0-9a-f,]+)/g)) {
    let slot = 0;
    for (const digit of hex.replaceAll(",", "").split("").reverse()) {
      const bits = Number.parseInt(digit, 16);
      for (let bit = 0; bit < 4; bit++, slot++) {
        if ((bits >> bit & 1) === 1) found.set(slot, names[Number(index)] ?? "?");
      }
    }
  }
  return found;
}

/** The share of slots that changed hands, those of the removed backends left out. */
function moved(before: Map<number, string>, after: Map<number, string>): number {
  const left = new Set(after.values());
  let kept = 0;
  let changed = 0;
  for (const [slot, name] of before) {
    if (!left.has(name)) continue;
    if (after.get(slot) === name) kept++;
    else changed++;
  }
  return changed / (kept + changed);
}

async function removalMoves(lab: Lab, length: number): Promise<number> {
  const all = backends(50, 2);
  await setService(lab.vpp, { vip: VIP, backends: all });
  const before = await slots(lab);
  assertEquals(before.size, length);
  let worst = 0;
  for (const gone of [0, 7, 24, 49]) {
    await setService(lab.vpp, { vip: VIP, backends: all.filter((_, i) => i !== gone) });
    worst = Math.max(worst, moved(before, await slots(lab)));
    await setService(lab.vpp, { vip: VIP, backends: all });
    assertEquals(await slots(lab), before, "the table depends on the set alone");
  }
  return worst;
}

probe(
  "1,009 maglev slots: removing 1 of 50 backends moves a few per cent of the others",
  async (lab) => {
    const worst = await removalMoves(lab, 1009);
    console.log(`moved at worst: ${(100 * worst).toFixed(1)} %`);
    assert(worst > 0.02 && worst < 0.08, `${worst}`);
  },
);

probe("5,003 maglev slots: removing 1 of 50 backends moves fewer", async (lab) => {
  const worst = await removalMoves(lab, 5003);
  console.log(`moved at worst: ${(100 * worst).toFixed(1)} %`);
  assert(worst < 0.04, `${worst}`);
}, "cnat { maglev-len 5003 }");

probe("with more backends than slots some get none", async (lab) => {
  await setService(lab.vpp, { vip: VIP, backends: backends(60) });
  const named = new Set((await slots(lab)).values());
  assertEquals(named.size, 53);
}, "cnat { maglev-len 53 }");

probe("the order of backends in an update does not matter to maglev", async (lab) => {
  const all = backends(20);
  await setService(lab.vpp, { vip: VIP, backends: all });
  const before = await slots(lab);
  await setService(lab.vpp, { vip: VIP, backends: all.toReversed() });
  assertEquals(await slots(lab), before);
});

probe("an update ignores a changed lb_type and flow hash without a word", async (lab) => {
  const two = backends(2);
  const id = await setService(lab.vpp, { vip: VIP, backends: two, lbType: 0, flowHash: 1 });
  assertEquals(
    await setService(lab.vpp, { vip: VIP, backends: two, lbType: 1, flowHash: 0x9f }),
    id,
  );
  const [details] = await lab.vpp.dump("cnat_translation_dump");
  assertEquals(details?.translation.lb_type, 0);
  const text = await lab.cli("show cnat translation");
  assert(text.includes("lb:default fhc:0x1"), text);
});

probe("a deleted translation's maglev table is never freed", async (lab) => {
  const ROUNDS = 4;
  const SERVICES = 500;
  const used = async (): Promise<number> =>
    Number(/used: ([0-9.]+)M/.exec(await lab.cli("show memory main-heap"))?.[1]);
  const round = async (): Promise<void> => {
    const ids = await Promise.all(Array.from(
      { length: SERVICES },
      (_, i) =>
        setService(lab.vpp, { vip: `10.96.${i >> 8}.${i & 255}|80`, backends: backends(2) }),
    ));
    await Promise.all(ids.map((id) => lab.vpp.request("cnat_translation_del", { id })));
  };
  await round();
  const before = await used();
  for (let i = 0; i < ROUNDS; i++) await round();
  const lost = (await used() - before) * 2 ** 20 / (ROUNDS * SERVICES);
  console.log(`lost for each translation: ${lost.toFixed(0)} octets`);
  assert(lost > 4 * 5003, `${lost}`);
}, "cnat { maglev-len 5003 }");
