/**
 * A process whose connections come and go, for the test that it does not grow: prints, after each
 * batch of them, its anonymous memory in MiB and its descriptors. Needs `--v8-flags=--expose-gc`.
 *
 * Arguments: library, segment prefix, API socket, batches, connections in each.
 *
 * @module
 */
import { Libc } from "@contiv/libc";
import { VppClient } from "@contiv/vppapi";
import { VppApiClientLibrary } from "./library.ts";
import { SharedMemoryTransport } from "./shared_memory_transport.ts";

if (import.meta.main) {
  const [path = "", prefix = "", apiSocket = "", batches = "", count = ""] = Deno.args;
  const libc = Libc.open();
  const library = VppApiClientLibrary.open(path);
  const collect = (globalThis as unknown as { gc: () => void }).gc;
  for (let batch = 0; batch < Number(batches); batch++) {
    for (let index = 0; index < Number(count); index++) {
      const name = "come-and-go";
      const options = { libc, library, name, prefix, apiSocket };
      const transport = await SharedMemoryTransport.connect(options);
      await using vpp = await VppClient.over(transport, { name });
      await vpp.request("control_ping");
    }
    collect();
    const status = Deno.readTextFileSync("/proc/self/status");
    const kib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
    console.log(kib / 1024, [...Deno.readDirSync("/proc/self/fd")].length);
  }
}
