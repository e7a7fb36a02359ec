import { systemTest } from "../support/requires.ts";
import { furnish, PACKET_CASES } from "./packet_cases.ts";
import { type Attachment, Peer } from "./peer.ts";
import { Target } from "./target.ts";

/** VPP's TAPs need /dev/vhost-net, which ours do not. */
const ATTACHMENTS: readonly Attachment[] = Target.kind === "embedded"
  ? ["tap", "af_packet"]
  : ["af_packet"];

for (const attachment of ATTACHMENTS) {
  systemTest(`packets over ${attachment} fare as in VPP (${Target.kind})`, async (t) => {
    await using target = await Target.start();
    await using vpp = await target.connect();
    await using left = await Peer.attach(target, vpp, attachment);
    await using right = await Peer.attach(target, vpp, attachment);
    const scene = { vpp, left, right };
    await furnish(scene);
    for (const { name, run } of PACKET_CASES) await t.step(name, () => run(scene));
  });
}
