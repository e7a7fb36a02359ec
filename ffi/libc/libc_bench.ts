/** What entering a namespace and asking it costs. Needs root for the namespaces. */
import { canMakeNamespaces, TestNamespace } from "./_testing.ts";
import { Libc } from "./libc.ts";
import { RtNetlink } from "./netlink/rtnetlink.ts";
import { NetNs } from "./net_ns.ts";

const libc = Libc.open();
const getuid = (): number => libc.getuid();

Deno.bench("open and close the library", () => Libc.open().close());
Deno.bench("the cheapest call", () => void getuid());

if (canMakeNamespaces) {
  const namespace = new TestNamespace(libc);
  const kept = RtNetlink.open(libc, namespace.ns);
  globalThis.addEventListener("unload", () => {
    kept.close();
    namespace[Symbol.dispose]();
  });
  const group = "namespace";
  Deno.bench({ name: "open and close by path", group }, () => {
    NetNs.open(libc, namespace.path).close();
  });
  Deno.bench({ name: "there and back", group }, () => void namespace.ns.run(getuid));
  Deno.bench({ name: "there and back, opening a netlink socket for a listing", group }, () => {
    using rtnetlink = RtNetlink.open(libc, namespace.ns);
    rtnetlink.links();
  });
  Deno.bench({ name: "a listing on a socket kept open", group, baseline: true }, () => {
    kept.links();
  });
}
