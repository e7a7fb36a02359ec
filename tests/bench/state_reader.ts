/** Follows the cluster state as an agent does; prints milliseconds and MB once it has all. */
import { ClusterState, STATE_PREFIX } from "@contiv/model";
import { EtcdStore } from "@contiv/store";

const [endpoint = ""] = Deno.args;
const start = performance.now();
const store = EtcdStore.open({ endpoints: [endpoint] });
const state = new ClusterState();
for await (const event of store.watch({ prefix: STATE_PREFIX })) {
  state.apply(event);
  if (state.complete) break;
}
const ms = performance.now() - start;
const peak = /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
console.log(JSON.stringify({ ms, pods: state.objects("pods").size, mb: Number(peak) / 1024 }));
Deno.exit(0);
