import { NetlinkError, type RouteSpec, type RuleSpec } from "@contiv/libc";
import { IpAddress, IpPrefix } from "@contiv/net";
import type { LinuxSourceRoute } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions, isAbsent } from "./_in_namespace.ts";

/** `EEXIST` (asm-generic/errno-base.h). */
const EEXIST = 17;

/** Default routes for what has one of a container's addresses as its source. */
export function sourceRouteDescriptor(
  where: InNamespaceOptions,
): Descriptor<LinuxSourceRoute, undefined> {
  return inNamespace(where, {
    kind: "linux-source-route",
    apply(namespace, { index }, wanted): void {
      for (const route of routesOf(index, wanted)) namespace.replaceRoute(route);
      try {
        namespace.addRule(ruleOf(wanted));
      } catch (error) {
        if (!(error instanceof NetlinkError && error.errno === EEXIST)) throw error;
      }
    },
    remove(namespace, { index }, wanted): void {
      try {
        namespace.removeRule(ruleOf(wanted));
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
      for (const route of routesOf(index, wanted).reverse()) namespace.removeRoute(route);
    },
    read(namespace, { index }, wanted): LinuxSourceRoute | undefined {
      const { address, gateway, table } = wanted;
      const hasRoute = namespace.routes(index, table).some((route) =>
        route.destination.length === 0 && route.gateway?.equals(gateway) === true
      );
      const hasRule = namespace.rules(address.family).some((rule) =>
        rule.table === table && rule.source?.equals(IpPrefix.host(address)) === true
      );
      return hasRoute && hasRule ? wanted : undefined;
    },
  });
}

/** To the gateway, which the kernel looks up in the same table, and through it to everywhere. */
function routesOf(index: number, { gateway, table }: LinuxSourceRoute): RouteSpec[] {
  const { family } = gateway;
  const everything = IpPrefix.of(IpAddress.fromBigInt(family, 0n), 0);
  return [
    { family, destination: IpPrefix.host(gateway), index, table },
    { family, destination: everything, gateway, index, table },
  ];
}

function ruleOf({ address, table }: LinuxSourceRoute): RuleSpec {
  return { family: address.family, source: IpPrefix.host(address), table, priority: table };
}
