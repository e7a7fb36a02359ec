/** The sandbox for somebody who is not root, in a user namespace. */
import { assertEquals, assertMatch, assertStringIncludes } from "@contiv/assert";
import { OrdinaryUser } from "./support/ordinary_user.ts";
import { EMBEDDED, systemTest } from "./support/requires.ts";

/** How /dev/net/tun is, what then carries the pods' frames, and what it is called in a trace. */
const DEVICES = [
  ["open to all", "TAPs", /virtio-input\n +tap\d+ /],
  ["closed", "packet sockets", /af-packet-input\n +host-ctv[0-9a-f]{12} /],
] as const;

for (const [tun, ports, inTrace] of DEVICES) {
  systemTest(`an ordinary user runs the demo, with ${ports} ${EMBEDDED}`, async () => {
    await using user = await OrdinaryUser.make(tun);
    const { code, stdout, stderr } = await user.contiv("sandbox", "demo");
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /(\d+) of \1 paths are right/);
    assertMatch(stdout, inTrace);
  });
}

systemTest(`an ordinary user comes back to a sandbox ${EMBEDDED}`, async () => {
  await using user = await OrdinaryUser.make("closed");
  const done = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await user.contiv("sandbox", ...args);
    assertEquals(code, 0, stdout + stderr);
    return stdout;
  };
  await done("up", "--pods", "2");
  try {
    assertStringIncludes(await done("status"), "agent ready");
    const ping = await done("exec", "pod1", "--", "ping", "-c", "1", "-W", "2", "10.1.1.3");
    assertStringIncludes(ping, "1 received");
    assertStringIncludes(await done("add", "late"), "10.1.1.4");
    assertEquals(
      (await user.contiv("sandbox", "exec", "pod1", "--", "sh", "-c", "exit 7")).code,
      7,
    );
  } finally {
    await done("down");
  }
  const { code, stderr } = await user.contiv("sandbox", "status");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "has none");
});
