import { dataPlaneTest } from "../support/requires.ts";
import { MACIP_API_CASES, MACIP_PACKET_CASES } from "./macip_cases.ts";
import { furnish } from "./packet_cases.ts";
import { type Attachment, Peer } from "./peer.ts";
import { Target } from "./target.ts";

dataPlaneTest("senders are checked as by VPP's MACIP lists", async (dataPlane, t) => {
  const attachments: readonly Attachment[] = dataPlane.kind === "embedded"
    ? ["tap", "af_packet"]
    : ["af_packet"];
  for (const attachment of attachments) {
    await using target = await Target.start(dataPlane);
    await using vpp = await target.connect();
    for (const { name, run } of MACIP_API_CASES) await t.step(name, () => run(vpp));
    await using left = await Peer.attach(target, vpp, attachment);
    await using right = await Peer.attach(target, vpp, attachment);
    const scene = { vpp, left, right };
    await furnish(scene);
    for (const { name, run } of MACIP_PACKET_CASES) {
      await t.step(`over ${attachment}: ${name}`, () => run(scene));
    }
  }
});
