import { assert, assertEquals, assertNotEquals, assertThrows } from "@contiv/assert";
import { canMakeNamespaces, run, TestNamespace, withLibc } from "./_testing.ts";
import { LibcError } from "./error.ts";
import { Libc } from "./libc.ts";
import { NetNs } from "./net_ns.ts";

function inodeHere(libc: Libc): bigint {
  using here = NetNs.current(libc);
  return here.inode();
}

Deno.test("the current namespace is the one that /proc names", () =>
  withLibc((libc) => {
    const link = Deno.readLinkSync("/proc/thread-self/ns/net");
    assertEquals(`net:[${inodeHere(libc)}]`, link);
  }));

Deno.test("what is no network namespace is refused", async (t) => {
  const folder = Deno.makeTempDirSync({ prefix: "contiv-ns-" });
  try {
    await t.step("nothing at all", () =>
      withLibc((libc) => {
        const path = `${folder}/missing`;
        const error = assertThrows(() => NetNs.open(libc, path), LibcError);
        assertEquals(
          [error.operation, error.code, error.subject, error.message],
          [
            "open",
            "ENOENT",
            path,
            `Cannot open network namespace "${path}": no such file or directory (ENOENT from open)`,
          ],
        );
      }));
    await t.step("a file", () =>
      withLibc((libc) => {
        Deno.writeTextFileSync(`${folder}/file`, "");
        const error = assertThrows(() => NetNs.open(libc, `${folder}/file`), LibcError);
        assertEquals(error.code, "EINVAL");
      }));
    await t.step("a FIFO, which would hold up whoever opens it", () =>
      withLibc((libc) => {
        run("mkfifo", `${folder}/fifo`);
        assertThrows(() => NetNs.open(libc, `${folder}/fifo`), LibcError);
      }));
    await t.step("a namespace of another kind", () =>
      withLibc((libc) => {
        const error = assertThrows(() => NetNs.open(libc, "/proc/self/ns/uts"), LibcError);
        assertEquals(error.code, "EINVAL");
      }));
    await t.step("a path with a NUL", () =>
      withLibc((libc) => {
        assertThrows(() => NetNs.open(libc, "/proc/self/ns/net\0x"), LibcError);
      }));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test({
  name: "a namespace is entered and left, also when the work fails",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc((libc) => {
      using other = new TestNamespace(libc);
      const home = inodeHere(libc);
      assertNotEquals(other.ns.inode(), home);
      assertEquals(other.ns.run(() => inodeHere(libc)), other.ns.inode());
      assertEquals(inodeHere(libc), home);

      const failure = new Error("work failed");
      const thrown = assertThrows(() =>
        other.ns.run(() => {
          throw failure;
        })
      );
      assertEquals(thrown, failure);
      assertEquals(inodeHere(libc), home);
    }),
});

Deno.test({
  name: "namespaces can be entered within each other",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc((libc) => {
      using one = new TestNamespace(libc);
      using two = new TestNamespace(libc);
      const home = inodeHere(libc);
      one.ns.run(() => {
        assertEquals(two.ns.run(() => inodeHere(libc)), two.ns.inode());
        assertEquals(inodeHere(libc), one.ns.inode());
        assertThrows(() =>
          two.ns.run(() => {
            throw new Error("inner");
          })
        );
        assertEquals(inodeHere(libc), one.ns.inode());
      });
      assertEquals(inodeHere(libc), home);
    }),
});

Deno.test({
  name: "asynchronous work in a namespace is refused, and home is reached",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc(async (libc) => {
      using other = new TestNamespace(libc);
      const home = inodeHere(libc);
      assertThrows(() => other.ns.run(() => Promise.resolve(1)), TypeError);
      assertThrows(() => other.ns.run(() => Promise.reject(new Error("late"))), TypeError);
      assertEquals(inodeHere(libc), home);
      await Promise.resolve();
    }),
});

Deno.test({
  name: "a namespace that cannot be entered leaves the thread where it is",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc((libc) => {
      using other = new TestNamespace(libc);
      const home = inodeHere(libc);
      other.ns.close();
      const error = assertThrows(() => other.ns.run(() => {}), LibcError);
      assertEquals([error.operation, error.code], ["setns", "EBADF"]);
      assertEquals(inodeHere(libc), home);
    }),
});

Deno.test({
  name: "a made namespace is one that ip(8) knows, and goes without a trace",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc((libc) => {
      const home = inodeHere(libc);
      let path = "";
      {
        using made = new TestNamespace(libc);
        path = made.path;
        assertEquals(inodeHere(libc), home);
        assert(run("ip", "netns", "list").includes(made.name));
        assertEquals(made.ip("link").map((link) => link["ifname"]), ["lo"]);
        const error = assertThrows(() => NetNs.create(libc, path), LibcError);
        assertEquals(error.code, "EEXIST");
        assertEquals(inodeHere(libc), home);
        assertEquals(made.ip("link").length, 1);
      }
      assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
      assert(!Deno.readTextFileSync("/proc/self/mountinfo").includes(path));
      const error = assertThrows(() => NetNs.remove(libc, path), LibcError);
      assertEquals(error.code, "ENOENT");
    }),
});

Deno.test({
  name: "a namespace is made anywhere, and what a crash left there is removed",
  ignore: !canMakeNamespaces,
  fn: () =>
    withLibc((libc) => {
      const folder = Deno.makeTempDirSync({ prefix: "contiv-ns-" });
      try {
        const path = `${folder}/deep/er/ns`;
        NetNs.create(libc, path).close();
        NetNs.remove(libc, path);
        Deno.writeTextFileSync(path, "");
        NetNs.remove(libc, path);
        assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    }),
});

Deno.test({
  name: "a Worker enters a namespace on a thread of its own",
  ignore: !canMakeNamespaces,
  // Without the look for open descriptors: a Worker's own are closed some time after its end.
  async fn(): Promise<void> {
    using libc = Libc.open();
    using other = new TestNamespace(libc);
    const home = inodeHere(libc);
    const url = new URL("testdata/namespace_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    try {
      const answer = new Promise<unknown>((resolve, reject) => {
        worker.onmessage = (event): void => resolve(event.data);
        worker.onerror = (event): void => reject(new Error(event.message));
      });
      worker.postMessage(other.path);
      assertEquals(await answer, { inside: other.ns.inode(), after: home });
    } finally {
      worker.terminate();
    }
    assertEquals(inodeHere(libc), home);
  },
});
