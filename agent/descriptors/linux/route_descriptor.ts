import type { RouteSpec } from "@contiv/libc";
import type { LinuxRoute } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/** The kernel's metric where none was given: IP6_RT_PRIO_USER (net/ip6_route.h) for IPv6. */
const DEFAULT_METRIC = { 4: 0, 6: 1024 } as const;

/** A container's routes in its main table. */
export function routeDescriptor(where: InNamespaceOptions): Descriptor<LinuxRoute, undefined> {
  return inNamespace(where, {
    kind: "linux-route",
    apply(namespace, { index }, route): void {
      namespace.replaceRoute(specOf(index, route));
    },
    remove(namespace, { index }, route): void {
      namespace.removeRoute(specOf(index, route));
    },
    read(namespace, { index }, wanted): LinuxRoute | undefined {
      const { destination } = wanted;
      const metric = metricOf(wanted);
      const actual = namespace.routes(index).find((each) =>
        each.destination.equals(destination) && each.type === "unicast" &&
        (each.metric ?? 0) === metric
      );
      if (actual === undefined) return undefined;
      const { gateway: _, ...rest } = wanted;
      return actual.gateway === undefined ? rest : { ...rest, gateway: actual.gateway };
    },
  });
}

function metricOf({ destination, metric }: LinuxRoute): number {
  return metric ?? DEFAULT_METRIC[destination.family];
}

function specOf(index: number, route: LinuxRoute): RouteSpec {
  const { destination, gateway } = route;
  const metric = metricOf(route);
  return {
    family: destination.family,
    destination,
    index,
    ...gateway !== undefined && { gateway },
    ...metric !== 0 && { metric },
  };
}
