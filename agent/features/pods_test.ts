import { assert, assertEquals } from "@contiv/assert";
import { IpPrefix } from "@contiv/net";
import type { Attachment } from "../attachments/mod.ts";
import { NodePrefix } from "../ipam/mod.ts";
import { attachmentOfTag, podTag, sameValue } from "../items/mod.ts";
import { renderGateway } from "./gateway.ts";
import { renderAttachment } from "./pods.ts";

const LAYOUTS = ["10.1.1.0/24", "fd10:1::100/120"].map((text) =>
  NodePrefix.of(IpPrefix.parse(text))
);
const ATTACHMENT: Attachment = {
  id: "0123456789abcdef0123",
  network: "contiv",
  containerId: "c",
  ifname: "eth0",
  state: "ready",
  netns: { path: "/run/netns/c", inode: "4026532000" },
  addresses: ["10.1.1.2", "fd10:1::102"],
  mac: "02:00:00:00:00:01",
  mtu: 1400,
  rank: 0,
  createdAt: 0,
};

Deno.test("an attachment's items require only each other and the gateway's", () => {
  const gateway = renderGateway(LAYOUTS);
  const items = renderAttachment(ATTACHMENT, LAYOUTS);
  const keys = new Set([...gateway, ...items].map(({ key }) => key));
  assertEquals(keys.size, gateway.length + items.length, "keys are unique");
  for (const { key, requires } of [...gateway, ...items]) {
    for (const needed of requires) assert(keys.has(needed), `${key} requires ${needed}`);
  }
});

Deno.test("nothing but neighbours in a container's namespace requires VPP, which may restart", () => {
  for (const { key, requires } of renderAttachment(ATTACHMENT, LAYOUTS)) {
    if (!key.startsWith("linux-") || key.startsWith("linux-neighbour/")) continue;
    assertEquals(requires.filter((needed) => needed.startsWith("vpp-")), [], key);
  }
});

Deno.test("rendering twice gives equal items, and another address others", () => {
  const again = renderAttachment({ ...ATTACHMENT }, LAYOUTS);
  assert(sameValue(again, renderAttachment(ATTACHMENT, LAYOUTS)));
  const other = renderAttachment({ ...ATTACHMENT, addresses: ["10.1.1.3"] }, LAYOUTS);
  assert(!sameValue(again, other));
  assert(other.every(({ key }) => !key.includes("fd10") && !key.startsWith("linux-sysctl")));
});

Deno.test("a tag fits VPP's 63 octets, names the attachment, and is nobody else's", () => {
  const tag = podTag(ATTACHMENT.id, `${"n".repeat(63)}/web-\u00fc eth0`);
  assert(tag.length <= 63);
  assertEquals(attachmentOfTag(tag), ATTACHMENT.id);
  assertEquals(attachmentOfTag(podTag(ATTACHMENT.id, "")), ATTACHMENT.id);
  for (
    const foreign of ["", "contiv:gateway", "0123456789abcdef0123", `contiv:${ATTACHMENT.id}0`]
  ) {
    assertEquals(attachmentOfTag(foreign), undefined);
  }
});

Deno.test("a namespace's further attachments send by their own devices what has their addresses", () => {
  const keys = (rank: number): string[] =>
    renderAttachment({ ...ATTACHMENT, rank }, LAYOUTS).map(({ key }) => key)
      .filter((key) => key.startsWith("linux-source-route/"));
  assertEquals(keys(0), []);
  assertEquals(keys(1), [
    "linux-source-route/0123456789abcdef0123/10.1.1.2",
    "linux-source-route/0123456789abcdef0123/fd10:1::102",
  ]);
});
