import { assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { decodeVswitchAgent, nodeIdKey, type VswitchAgent, vswitchAgentKey } from "@contiv/model";
import { FakeStore } from "./_fake_store.ts";
import { AgentBeacon } from "./agent_beacon.ts";

const LIMIT_MS = 5_000;
const KEY = vswitchAgentKey("n");

const STATE: VswitchAgent = {
  node: "n",
  pid: 1,
  startedAt: 2,
  unavailable: "",
  conflict: "",
  vppConnected: true,
  vpp: "26.06",
  peers: 1,
  failed: [],
  failedCount: 0,
};

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("how an agent fares stands in the store while it lives, written when it changes", async () => {
  const store = new FakeStore();
  store.put(nodeIdKey(7), "n");
  let state = STATE;
  let looks = 0;
  const beacon = new AgentBeacon({
    store,
    node: { name: "n", id: 7 },
    state: () => {
      looks++;
      return state;
    },
    log: Logger.silent(),
    intervalMs: 1,
  });
  const running = beacon.run();
  const told = (): VswitchAgent | undefined => {
    const text = store.text(KEY);
    return text === undefined ? undefined : decodeVswitchAgent("n", text);
  };
  await until("it is told", () => told()?.pid === 1);
  const seen = looks;
  await until("it is looked at again", () => looks > seen + 5);
  assertEquals(store.history.length, 1);
  state = { ...STATE, unavailable: "VPP is away", vppConnected: false };
  await until("the change is told", () => told()?.unavailable === "VPP is away");
  store.wipe();
  store.put(nodeIdKey(7), "n");
  beacon.repeat();
  await until("it is told again", () => told() !== undefined);
  beacon.close();
  await running;
  assertEquals(told(), undefined, "it goes with the agent");
});

Deno.test("an agent whose node lost its ID is not announced", async () => {
  const store = new FakeStore();
  store.put(nodeIdKey(7), "other");
  const node = { name: "n", id: 7 };
  const log = Logger.silent();
  const beacon = new AgentBeacon({ store, node, state: () => STATE, log, intervalMs: 1 });
  const running = beacon.run();
  await until("it is refused", () => beacon.problem?.includes("ID 7") === true);
  assertEquals(store.text(KEY), undefined);
  beacon.close();
  await running;
});
