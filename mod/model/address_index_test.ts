import { assertEquals } from "@contiv/assert";
import { IpAddress } from "@contiv/net";
import fc from "fast-check";
import { AddressIndex } from "./address_index.ts";
import { hasEnded, type Phase, PHASES } from "./pod.ts";

interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly phase: Phase;
  readonly hostNetwork: boolean;
  readonly addresses: readonly IpAddress[];
}

const claim = (name: string, addresses: string[], more: Partial<Claim> = {}): Claim => ({
  namespace: "ns",
  name,
  phase: "Running",
  hostNetwork: false,
  addresses: addresses.map(IpAddress.parse),
  ...more,
});

Deno.test("an address of two live pods belongs to neither until one lets go", () => {
  const index = new AddressIndex();
  const address = IpAddress.parse("10.1.0.2");
  assertEquals(index.set(claim("a", ["10.1.0.2"])), [address]);
  assertEquals(index.owner(address), "ns/a");
  assertEquals(index.set(claim("b", ["10.1.0.2"])), [address]);
  assertEquals(index.owner(address), undefined);
  assertEquals(index.conflicts(), [{ address, pods: ["ns/a", "ns/b"] }]);
  assertEquals(index.set(claim("a", ["10.1.0.2"], { phase: "Succeeded" })), [address]);
  assertEquals([index.owner(address), index.conflicts()], ["ns/b", []]);
  assertEquals(index.delete("ns/b"), [address]);
  assertEquals(index.owner(address), undefined);
});

Deno.test("pods that have ended or use the host's network own no address", () => {
  const index = new AddressIndex();
  const address = IpAddress.parse("fd00::2");
  assertEquals(index.set(claim("done", ["fd00::2"], { phase: "Failed" })), []);
  assertEquals(index.set(claim("host", ["fd00::2"], { hostNetwork: true })), []);
  assertEquals(index.set(claim("live", ["fd00::2"])), [address]);
  assertEquals(index.owner(address), "ns/live");
});

Deno.test("the families never meet", () => {
  const index = new AddressIndex();
  index.set(claim("a", ["0.0.0.5"]));
  index.set(claim("b", ["::5"]));
  assertEquals(index.conflicts(), []);
});

Deno.test("after any history, owners are what the live pods alone say", () => {
  const pool = ["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"].map(IpAddress.parse);
  const pod = fc.record<Claim>({
    namespace: fc.constant("ns"),
    name: fc.constantFrom("a", "b", "c"),
    phase: fc.constantFrom(...PHASES),
    hostNetwork: fc.boolean(),
    addresses: fc.array(fc.constantFrom(...pool), { maxLength: 3 }),
  });
  const step = fc.record({ pod, gone: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const index = new AddressIndex();
    const pods = new Map<string, Claim>();
    for (const { pod, gone } of steps) {
      const before = pool.map((address) => index.owner(address));
      const changed = gone ? index.delete(`ns/${pod.name}`) : index.set(pod);
      if (gone) pods.delete(pod.name);
      else pods.set(pod.name, pod);
      for (const [i, address] of pool.entries()) {
        const claimants = [...pods.values()].filter((each) =>
          !hasEnded(each) && !each.hostNetwork && each.addresses.some((a) => a.equals(address))
        );
        const owner = claimants.length === 1 ? `ns/${claimants[0]?.name}` : undefined;
        assertEquals(index.owner(address), owner);
        assertEquals(changed.some((each) => each.equals(address)), owner !== before[i]);
        assertEquals(
          index.conflicts().some((each) => each.address.equals(address)),
          claimants.length > 1,
        );
      }
    }
  }));
});
