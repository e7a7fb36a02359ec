/** Who forwards, and what the kernel says of a wired pod. */
import { assert, assertEquals } from "@contiv/assert";
import { dataPlaneTest } from "./support/requires.ts";
import { TestNode } from "./support/test_node.ts";

dataPlaneTest("it is the data plane that forwards, not Linux", async (dataPlane, t) => {
  await using node = await TestNode.start(dataPlane);
  const one = await node.sandbox.addPod("one");
  const two = await node.sandbox.addPod("two");

  await t.step("forwarding is off in the node's namespace, in both families", async () => {
    const { stdout } = await node.inNode([
      "cat",
      "/proc/sys/net/ipv4/ip_forward",
      "/proc/sys/net/ipv6/conf/all/forwarding",
    ]);
    assertEquals(stdout, "0\n0\n");
  });
  await t.step("there is no bridge and no nftables rule", async () => {
    assertEquals((await node.inNode(["ip", "-o", "link", "show", "type", "bridge"])).stdout, "");
    assertEquals((await node.inNode(["nft", "list", "ruleset"])).stdout, "");
  });
  await t.step("a stopped vswitch stops every ping, a resumed one resumes it", async () => {
    for (const address of two.addresses) assert(await node.ping(one, address), address);
    node.signal("vswitch", "SIGSTOP");
    for (const address of two.addresses) assertEquals(await node.ping(one, address), false);
    node.signal("vswitch", "SIGCONT");
    for (const address of two.addresses) assert(await node.ping(one, address), address);
  });
});

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly flags: readonly string[];
}
interface IpAddr extends IpLink {
  readonly addr_info: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
    readonly scope: string;
    readonly nodad?: boolean;
    readonly tentative?: boolean;
  }[];
}
interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
  readonly dev: string;
  readonly scope?: string;
}
interface IpNeigh {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr: string;
  readonly state: readonly string[];
}

dataPlaneTest("the kernel agrees with the CNI result", async (dataPlane, t) => {
  await using node = await TestNode.start(dataPlane);
  const pod = await node.sandbox.addPod("one");
  const [ip4 = "", ip6 = ""] = pod.addresses;
  const [gateway4 = "", gateway6 = ""] = pod.gateways;
  const ip = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await node.inPod(pod, ["ip", "-j", "-d", ...args])).stdout || "[]") as T;

  await t.step("links", async () => {
    const links = await ip<IpLink[]>("link");
    assertEquals(links.map((link) => link.ifname).sort(), ["eth0", "lo"]);
    for (const link of links) assert(link.flags.includes("UP"), `${link.ifname} is down`);
    assertEquals(links.find((link) => link.ifname === "eth0")?.mtu, 1500);
  });
  await t.step("addresses", async () => {
    const [link] = await ip<IpAddr[]>("address", "show", "dev", "eth0");
    const global = link?.addr_info.filter((info) => info.scope === "global");
    assertEquals(
      global?.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
      [`${ip4}/32`, `${ip6}/128`].sort(),
    );
    for (const info of global ?? []) assertEquals(info.tentative ?? false, false);
    assertEquals(global?.find((info) => info.family === "inet6")?.nodad, true);
  });
  await t.step("routes", async () => {
    const routes4 = await ip<IpRoute[]>("-4", "route");
    assertEquals(
      routes4.map(({ dst, gateway, dev }) => [dst, gateway ?? "", dev].join(" ")).sort(),
      [`${gateway4}  eth0`, `default ${gateway4} eth0`].sort(),
    );
    const routes6 = (await ip<IpRoute[]>("-6", "route"))
      .filter(({ dst }) => !dst.startsWith("fe80") && dst !== ip6);
    assertEquals(
      routes6.map(({ dst, gateway, dev }) => [dst, gateway ?? "", dev].join(" ")).sort(),
      [`${gateway6}  eth0`, `default ${gateway6} eth0`].sort(),
    );
  });
  await t.step("neighbours are permanent", async () => {
    const neighbours = await ip<IpNeigh[]>("neigh", "show", "nud", "permanent");
    assertEquals(
      neighbours.map(({ dst, dev }) => `${dst} ${dev}`).sort(),
      [`${gateway4} eth0`, `${gateway6} eth0`].sort(),
    );
    assertEquals(new Set(neighbours.map(({ lladdr }) => lladdr)).size, 1);
  });
  await t.step("sysctls", async () => {
    const base = "/proc/sys/net/ipv6/conf/eth0";
    const { stdout } = await node.inPod(pod, [
      "cat",
      `${base}/accept_ra`,
      `${base}/disable_ipv6`,
    ]);
    assertEquals(stdout, "0\n0\n");
  });
  await t.step("the status names the same addresses", async () => {
    const text = JSON.stringify(await node.status("/attachments"));
    for (const address of pod.addresses) assert(text.includes(address), `${address} in ${text}`);
  });
});
