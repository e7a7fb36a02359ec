import { assert, assertEquals } from "@contiv/assert";
import * as errno from "./errno.ts";
import * as rtnetlink from "./rtnetlink.ts";
import * as socket from "./socket.ts";
import * as structs from "./structs.ts";
import * as system from "./system.ts";

const HEADERS = [
  "dirent.h",
  "errno.h",
  "fcntl.h",
  "sched.h",
  "stddef.h",
  "stdio.h",
  "arpa/inet.h",
  "sys/epoll.h",
  "sys/eventfd.h",
  "sys/file.h",
  "sys/mount.h",
  "sys/resource.h",
  "sys/socket.h",
  "sys/stat.h",
  "sys/time.h",
  "sys/uio.h",
  "linux/fib_rules.h",
  "linux/if.h",
  "linux/if_addr.h",
  "linux/if_ether.h",
  "linux/if_link.h",
  "linux/if_packet.h",
  "linux/if_tun.h",
  "linux/neighbour.h",
  "linux/netlink.h",
  "linux/nsfs.h",
  "linux/rtnetlink.h",
  "linux/veth.h",
  "linux/virtio_net.h",
];

/** Younger than the headers of some supported distributions, so looked at only where defined. */
const YOUNG = new Set(["TUN_F_USO4", "TUN_F_USO6"]);

function expectedNumbers(): Map<string, number> {
  const expected = new Map<string, number>();
  for (const table of [rtnetlink, socket, system, errno]) {
    for (const [name, value] of Object.entries(table)) {
      if (typeof value === "number") expected.set(name, value);
    }
  }
  for (let number = 1; number < 134; number++) {
    const code = errno.errnoCode(number);
    if (!/^E[0-9]+$/.test(code)) expected.set(code, number);
  }
  for (const [name, layout] of Object.entries(structs)) {
    for (const [field, value] of Object.entries(layout)) {
      const expression = field === "size"
        ? `sizeof(struct ${name})`
        : `offsetof(struct ${name}, ${field})`;
      expected.set(expression, value);
    }
  }
  return expected;
}

function probeSource(names: Iterable<string>): string {
  const prints = [...names].map((name) => {
    const print = `printf("%lld ${name}\\n", (long long)(unsigned int)(${name}));`;
    return YOUNG.has(name) ? `#ifdef ${name}\n${print}\n#endif` : print;
  });
  const includes = HEADERS.map((header) => `#include <${header}>`);
  return [
    "#define _GNU_SOURCE",
    ...includes,
    "int main(void) {",
    ...prints,
    "return 0; }",
  ].join("\n");
}

function findCompiler(): string | undefined {
  for (const name of ["cc", "gcc", "clang"]) {
    try {
      if (new Deno.Command(name, { args: ["--version"] }).outputSync().success) return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

const compiler = findCompiler();
if (compiler === undefined) {
  console.warn("Skipping the check of constants against C headers: no C compiler was found");
}

Deno.test({
  name: "constants and struct offsets are those of the C headers",
  ignore: compiler === undefined,
  fn(): void {
    const expected = expectedNumbers();
    const folder = Deno.makeTempDirSync({ prefix: "contiv-probe-" });
    try {
      Deno.writeTextFileSync(`${folder}/probe.c`, probeSource(expected.keys()));
      const args = ["-o", `${folder}/probe`, `${folder}/probe.c`];
      const compiled = new Deno.Command(compiler ?? "cc", { args }).outputSync();
      assert(compiled.success, new TextDecoder().decode(compiled.stderr));
      const { stdout } = new Deno.Command(`${folder}/probe`).outputSync();
      const found = new Map<string, number>();
      for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
        const space = line.indexOf(" ");
        found.set(line.slice(space + 1), Number(line.slice(0, space)));
      }
      for (const name of YOUNG) if (!found.has(name)) expected.delete(name);
      // The probe prints them all unsigned.
      assertEquals(found, new Map([...expected].map(([name, value]) => [name, value >>> 0])));
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
