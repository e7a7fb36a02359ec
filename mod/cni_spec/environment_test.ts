import { assert, assertEquals, assertStringIncludes, assertThrows } from "@contiv/assert";
import { CniError, CniErrorCode } from "./cni_error.ts";
import { isCniName, isInterfaceName, readCniEnvironment } from "./environment.ts";

const ADD = {
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/var/run/netns/c1",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "A=1",
  CNI_PATH: "/opt/cni/bin",
};

function read(changes: Record<string, string | undefined>): ReturnType<typeof readCniEnvironment> {
  const values: Record<string, string | undefined> = { ...ADD, ...changes };
  return readCniEnvironment((name) => values[name]);
}

Deno.test("names of interfaces follow Linux", () => {
  for (const good of ["eth0", "a", "fifteen-letters", "eth0.100", "...", "\u00e4"]) {
    assert(isInterfaceName(good), good);
  }
  for (
    const bad of ["", ".", "..", "sixteen--letters", "a/b", "a:b", "a b", "a\tb", "a\u00a0b", "a\0"]
  ) {
    assert(!isInterfaceName(bad), bad);
  }
  assert(!isInterfaceName("\u00e4".repeat(8)), "sixteen octets of eight letters");
});

Deno.test("names of containers and networks start with a letter or digit", () => {
  for (const good of ["a", "0", "a_b.c-d"]) assert(isCniName(good), good);
  for (const bad of ["", "_a", ".a", "-a", "a/b", "a b", "a\n", "\u00e4"]) {
    assert(!isCniName(bad), bad);
  }
});

Deno.test("ADD takes all parameters", () => {
  assertEquals(read({}), {
    verb: "ADD",
    containerId: "c1",
    netns: "/var/run/netns/c1",
    ifname: "eth0",
    args: "A=1",
    path: "/opt/cni/bin",
  });
});

Deno.test("DEL may lack the namespace; GC and STATUS lack the attachment", () => {
  assertEquals(read({ CNI_COMMAND: "DEL", CNI_NETNS: undefined }).netns, "");
  for (const verb of ["GC", "STATUS"]) {
    const { containerId, netns, ifname } = read({ CNI_COMMAND: verb, CNI_IFNAME: "not/valid" });
    assertEquals({ containerId, netns, ifname }, { containerId: "", netns: "", ifname: "" });
  }
});

Deno.test("each wrong variable is named", async (t) => {
  const cases: readonly [changes: Record<string, string | undefined>, names: string[]][] = [
    [{ CNI_COMMAND: undefined }, ["CNI_COMMAND"]],
    [{ CNI_COMMAND: "add" }, ["CNI_COMMAND"]],
    [{ CNI_CONTAINERID: undefined }, ["CNI_CONTAINERID"]],
    [{ CNI_CONTAINERID: "-x" }, ["CNI_CONTAINERID"]],
    [{ CNI_NETNS: "" }, ["CNI_NETNS"]],
    [{ CNI_COMMAND: "CHECK", CNI_NETNS: "" }, ["CNI_NETNS"]],
    [{ CNI_NETNS: `/${"x".repeat(5000)}` }, ["CNI_NETNS"]],
    [{ CNI_COMMAND: "DEL", CNI_IFNAME: ".." }, ["CNI_IFNAME"]],
    [{ CNI_ARGS: "x".repeat(70_000) }, ["CNI_ARGS"]],
    [{ CNI_CONTAINERID: "", CNI_IFNAME: "a b" }, ["CNI_CONTAINERID", "CNI_IFNAME"]],
  ];
  for (const [changes, names] of cases) {
    await t.step(JSON.stringify(changes).slice(0, 60), () => {
      const error = assertThrows(() => read(changes), CniError);
      assertEquals(error.code, CniErrorCode.INVALID_ENVIRONMENT);
      for (const name of names) assertStringIncludes(error.message, name);
    });
  }
});
