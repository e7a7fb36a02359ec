import type { Family } from "@contiv/net";
import { AddressFamily } from "@contiv/vppapi";
import { sameValue, type VppNeighbourLimit, vppNeighbourLimitKey } from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** VPP's own limit (ip_neighbor.api). */
const DEFAULT_COUNT = 50_000;

const familyToApi = (family: Family): number =>
  family === 4 ? AddressFamily.IP4 : AddressFamily.IP6;

/**
 * Limits of VPP's neighbour tables, at which the oldest learned neighbour makes room: ip_neighbor.api.
 * Left to itself VPP refuses, and one container that invents neighbours would keep others out; and
 * it never asks again for a neighbour that it has learned once.
 */
export function neighbourLimitDescriptor(
  vpp: VppAccess,
): Descriptor<VppNeighbourLimit, undefined> {
  const set = async (
    { age, count, family }: VppNeighbourLimit,
    recycle: boolean,
  ): Promise<undefined> => {
    const af = familyToApi(family);
    const fields = { af, max_number: count, max_age: age, recycle };
    await vpp.client().request("ip_neighbor_config", fields);
    return undefined;
  };
  return {
    kind: "vpp-neighbour-limit",
    after: [],
    create: ({ value }: Item<VppNeighbourLimit>) => set(value, true),
    update: (_before, { value }) => set(value, true),
    async delete({ value }): Promise<void> {
      await set({ ...value, count: DEFAULT_COUNT, age: 0 }, false);
    },
    async retrieve(): Promise<Retrieved<VppNeighbourLimit, undefined>[]> {
      const families: readonly Family[] = [4, 6];
      const configs = await Promise.all(
        families.map((family) =>
          vpp.client().request("ip_neighbor_config_get", { af: familyToApi(family) })
        ),
      );
      return configs.flatMap(({ max_age, max_number, recycle }, i) => {
        const family = families[i];
        if (family === undefined || !recycle) return [];
        const value = { family, count: max_number, age: max_age };
        return [{ key: vppNeighbourLimitKey(family), value, meta: undefined, requires: [] }];
      });
    },
    equal: sameValue,
  };
}
