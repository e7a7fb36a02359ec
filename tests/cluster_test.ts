/** Several nodes: who reaches whom, through tunnels and without. */
import { assertEquals } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import { Cluster } from "../deploy/sandbox/cluster.ts";
import { isKnownGap } from "../deploy/sandbox/known_gap.ts";
import { measureMatrix } from "../deploy/sandbox/probe/mod.ts";
import type { PodRecord } from "../deploy/sandbox/state.ts";
import { removeIfThere } from "./support/remove_if_there.ts";
import { dataPlaneTest } from "./support/requires.ts";

let counter = 0;

const WAYS = {
  "through tunnels": { transport: "vxlan" },
  "through tunnels over IPv6": { transport: "vxlan", underlay: "ipv6" },
  "without tunnels": { transport: "none" },
};

for (const [way, config] of Object.entries(WAYS)) {
  dataPlaneTest(`everybody reaches everybody ${way}`, async (dataPlane) => {
    using libc = Libc.open();
    const directory = Deno.makeTempDirSync({ prefix: "contiv-cluster-" });
    try {
      await using cluster = await Cluster.create(libc, {
        name: `c${Deno.pid}-${counter++}`,
        directory,
        nodes: 2,
        dataPlane,
        config,
        progress: () => {},
        signal: AbortSignal.timeout(60_000),
      });
      const pods: PodRecord[] = [];
      for (const node of [1, 2]) {
        for (const pod of ["a", "b"]) {
          pods.push(await cluster.addPod(`node${node}`, `${pod}${node}`));
        }
      }
      const cells = await measureMatrix(libc, cluster.ends);
      const wrong = cells.filter(({ ok, ...cell }) => !ok && !isKnownGap(dataPlane, pods, cell))
        .map((
          { address, from, protocol, reason, to },
        ) => `${from} to ${to} ${address} ${protocol}: ${reason}`);
      assertEquals(wrong, []);
    } finally {
      if (Deno.env.get("CONTIV_KEEP") === undefined) {
        removeIfThere(directory);
      } else console.log(directory);
    }
  });
}
