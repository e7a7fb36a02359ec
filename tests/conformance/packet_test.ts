import { dataPlaneTest } from "../support/requires.ts";
import { furnish, PACKET_CASES } from "./packet_cases.ts";
import { type Attachment, Peer } from "./peer.ts";
import { Target } from "./target.ts";

dataPlaneTest("packets fare as in VPP", async (dataPlane, t) => {
  // VPP's TAPs need /dev/vhost-net, which ours do not.
  const attachments: readonly Attachment[] = dataPlane.kind === "embedded"
    ? ["tap", "af_packet"]
    : ["af_packet"];
  for (const attachment of attachments) {
    await using target = await Target.start(dataPlane);
    await using vpp = await target.connect();
    await using left = await Peer.attach(target, vpp, attachment);
    await using right = await Peer.attach(target, vpp, attachment);
    const scene = { vpp, left, right };
    await furnish(scene);
    for (const { name, run } of PACKET_CASES) {
      await t.step(`over ${attachment}: ${name}`, () => run(scene));
    }
  }
});
