import { assertEquals, assertThrows } from "@contiv/assert";
import { ConfigError } from "@contiv/config";
import { parseAgentConfig } from "./config.ts";

const parse = (value: unknown) => parseAgentConfig(JSON.stringify(value), "agent.json", "host");

const inCluster = (access: unknown): unknown => ({
  store: { endpoints: ["https://etcd:2379"], ...access as object },
});

Deno.test("a configuration with a node ID alone has documented defaults", () => {
  const config = parse({ nodeId: 5 });
  assertEquals(config.nodeName, "host");
  assertEquals(config.mtu, undefined);
  assertEquals(config.cniSocket, "/run/contiv/agent.sock");
  assertEquals(config.layouts.map(({ prefix }) => String(prefix)), [
    "10.1.5.0/24",
    "fd10:1::500/120",
  ]);
  assertEquals(config.layouts.map(({ gateway }) => String(gateway)), ["10.1.5.1", "fd10:1::501"]);
});

Deno.test("prefixes come from the cluster's subnets or are the node's own, IPv4 first", () => {
  const prefixes = (ipam: unknown): string[] =>
    parse({ nodeId: 1, ipam }).layouts.map(({ prefix }) => String(prefix));
  assertEquals(prefixes({ podSubnets: ["1.2.128.0/17"], nodePrefixLengths: [29] }), [
    "1.2.128.8/29",
  ]);
  assertEquals(prefixes({ podCIDRs: ["fd00::/120", "10.9.0.0/24"] }), [
    "10.9.0.0/24",
    "fd00::/120",
  ]);
});

Deno.test("the way to VPP and a VPP to start are read", () => {
  const { vpp, vppApiFiles, vppApiLibrary, vppApiPrefix, vppApiTransport } = parse({ nodeId: 1 });
  assertEquals([vpp, vppApiLibrary, vppApiPrefix, vppApiTransport], [
    undefined,
    undefined,
    "",
    "auto",
  ]);
  assertEquals(vppApiFiles, "/usr/share/vpp/api");
  const config = parse({
    nodeId: 1,
    vppApiTransport: "shm",
    vppApiPrefix: "n1",
    vppApiLibrary: "/opt/v/lib/libvppapiclient.so",
    vpp: { supervise: true, binary: "/opt/v/bin/vpp" },
  });
  assertEquals(config.vpp, { binary: "/opt/v/bin/vpp", startupConfig: "/etc/vpp/startup.conf" });
  assertEquals([config.vppApiTransport, config.vppApiPrefix], ["shm", "n1"]);
  // Those of the very VPP that is started.
  assertEquals(config.vppApiFiles, "/opt/v/share/vpp/api");
  assertEquals(parse({ nodeId: 1, vpp: { binary: "/opt/v/bin/vpp" } }).vpp, undefined);
});

Deno.test("the way into the store is read, with files for what is secret", () => {
  assertEquals(parse({ store: { endpoints: ["unix:/a"] } }).store, { endpoints: ["unix:/a"] });
  const files = { ca: "/pki/ca.pem", cert: "/pki/a.pem", key: "/pki/a.key" };
  const account = { user: "agent", passwordFile: "/pki/password" };
  const { store } = parse(inCluster({ ...files, ...account, serverName: "etcd.local" }));
  assertEquals(store, {
    endpoints: ["https://etcd:2379"],
    ...files,
    serverName: "etcd.local",
    user: { name: "agent", passwordFile: "/pki/password" },
  });
});

Deno.test("what is wrong in a configuration is named with its path and value", async (t) => {
  const cases: [string, unknown, string][] = [
    ["no node ID", {}, "agent.json: nodeId: missing"],
    ["unknown key", { nodeId: 1, mut: 9000 }, "agent.json: mut: 9000"],
    ["unknown key below", { nodeId: 1, ipam: { subnets: [] } }, "agent.json: ipam.subnets"],
    ["MTU", { nodeId: 1, mtu: 1000 }, "agent.json: mtu: 1000, a whole number from 1280 to 9000"],
    ["relative path", { nodeId: 1, stateDir: "x" }, 'stateDir: "x", an absolute path'],
    ["no prefix", { nodeId: 1, ipam: { podSubnets: ["10.1/16"] } }, 'podSubnets[0]: "10.1/16"'],
    [
      "two of a family",
      { nodeId: 1, ipam: { podSubnets: ["10.1.0.0/16", "10.2.0.0/16"] } },
      "one prefix per family",
    ],
    ["no family", { nodeId: 1, ipam: { podSubnets: [] } }, "at least one"],
    ["both", { nodeId: 1, ipam: { podSubnets: [], podCIDRs: ["10.0.0.0/24"] } }, "only one of"],
    [
      "length",
      { nodeId: 1, ipam: { podSubnets: ["10.1.0.0/16"], nodePrefixLengths: [8] } },
      "podSubnets[0]",
    ],
    [
      "too many lengths",
      { nodeId: 1, ipam: { nodePrefixLengths: [24, 120, 1] } },
      "one length for each",
    ],
    ["node ID", { nodeId: 300, ipam: { podSubnets: ["10.1.0.0/16"] } }, "podSubnets[0]"],
    ["transport", { nodeId: 1, vppApiTransport: "tcp" }, 'vppApiTransport: "tcp", one of auto'],
    ["supervise", { nodeId: 1, vpp: { supervise: 1 } }, "vpp.supervise: 1, true or false"],
    ["binary", { nodeId: 1, vpp: { binary: "vpp" } }, 'vpp.binary: "vpp", an absolute path'],
    ["level", { nodeId: 1, logLevel: "loud" }, 'logLevel: "loud", one of debug'],
    ["no endpoint", { store: { endpoints: [] } }, "store.endpoints: [], at least one"],
    ["an endpoint", { store: { endpoints: ["a:1"] } }, 'store.endpoints[0]: "a:1", http(s)://'],
    ["a URL", { store: { endpoints: ["http://a b"] } }, 'store.endpoints[0]: "http://a b", http'],
    ["half a certificate", inCluster({ cert: "/a" }), "store.key: missing, both of cert and key"],
    ["a relative file", inCluster({ ca: "ca.pem" }), 'store.ca: "ca.pem", an absolute path'],
    ["no password", inCluster({ user: "a" }), "store.passwordFile: missing, a string"],
    ["no user", inCluster({ passwordFile: "/a" }), "store.user: missing, the one whose"],
    ["a password", inCluster({ password: "a" }), 'store.password: "a", a key that is known'],
  ];
  for (const [name, value, wanted] of cases) {
    await t.step(name, () => void assertThrows(() => parse(value), ConfigError, wanted));
  }
});
