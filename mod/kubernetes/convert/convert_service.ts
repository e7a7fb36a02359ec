import {
  ADDRESS_MODES,
  PROTOCOLS,
  type Service,
  SERVICE_TYPES,
  type ServicePort,
  TRAFFIC_POLICIES,
} from "@contiv/model";
import type { Family, IpAddress } from "@contiv/net";
import { readAddress, readPrefix } from "./lenient_address.ts";
import { present, readLabels, readNames } from "./metadata.ts";
import type { Raw } from "./raw.ts";

const HEADLESS_LABEL = "service.kubernetes.io/headless";
const PROXY_LABEL = "service.kubernetes.io/service-proxy-name";
/** The API's own default of `sessionAffinityConfig.clientIP.timeoutSeconds`. */
const AFFINITY_SECONDS = 10_800;

/** Reads a v1 Service. @throws {ConversionError} */
export function convertService(raw: Raw): Service {
  const spec = raw.at("spec");
  const labels = readLabels(raw);
  const type = spec.at("type").oneOf(SERVICE_TYPES) ?? "ClusterIP";
  const several = spec.at("clusterIPs").items();
  const given = several.length > 0 ? several : [spec.at("clusterIP")];
  // Both labels count by being there, whatever their value.
  const headless = labels.has(HEADLESS_LABEL) || given.some((each) => each.value === "None");
  const addressless = headless || type === "ExternalName";
  const clusterIps = addressless ? [] : given.flatMap(readOne);
  const balanced = type === "LoadBalancer" && !addressless;
  const externalPolicy = spec.at("externalTrafficPolicy").oneOf(TRAFFIC_POLICIES) ?? "Cluster";
  const ranges = spec.at("loadBalancerSourceRanges").items();
  return {
    ...readNames(raw),
    type,
    headless,
    foreign: labels.has(PROXY_LABEL),
    families: readFamilies(spec, clusterIps),
    clusterIps,
    externalIps: addressless ? [] : spec.at("externalIPs").items().flatMap(readOne),
    loadBalancer: balanced ? readLoadBalancer(raw) : [],
    ports: spec.at("ports").items().flatMap((each) => readPort(each, type)),
    externalPolicy,
    internalPolicy: spec.at("internalTrafficPolicy").oneOf(TRAFFIC_POLICIES) ?? "Cluster",
    ...present<Pick<Service, "sourceRanges" | "affinitySeconds" | "healthPort">>({
      // An entry that cannot be read lets nobody in; the list stays, so that it still guards.
      sourceRanges: balanced && ranges.length > 0
        ? ranges.flatMap((each) => each.parsed(readPrefix, "a prefix in CIDR notation") ?? [])
        : undefined,
      affinitySeconds: readAffinity(spec),
      healthPort: balanced && externalPolicy === "Local"
        ? spec.at("healthCheckNodePort").port()
        : undefined,
    }),
  };
}

function readOne(raw: Raw): readonly IpAddress[] | IpAddress {
  return raw.value === "" ? [] : raw.parsed(readAddress, "an IP address") ?? [];
}

function readFamilies(spec: Raw, clusterIps: readonly IpAddress[]): readonly Family[] {
  const given = spec.at("ipFamilies").items().flatMap((each): Family[] => {
    const family = each.oneOf(["IPv4", "IPv6"]);
    return family === undefined ? [] : [family === "IPv4" ? 4 : 6];
  });
  return given.length > 0 ? given : [...new Set(clusterIps.map(({ family }) => family))];
}

function readLoadBalancer(raw: Raw): Service["loadBalancer"] {
  return raw.at("status").at("loadBalancer").at("ingress").items().flatMap((each) => {
    // Some are known by a host name only.
    const address = each.at("ip").parsed(readAddress, "an IP address");
    if (address === undefined) return [];
    return [{ address, mode: each.at("ipMode").oneOf(ADDRESS_MODES) ?? "VIP" }];
  });
}

function readPort(raw: Raw, type: Service["type"]): ServicePort[] {
  const port = raw.at("port").port();
  if (port === undefined) return [];
  const onNodes = type === "NodePort" || type === "LoadBalancer";
  return [{
    name: raw.at("name").text() ?? "",
    protocol: raw.at("protocol").oneOf(PROTOCOLS) ?? "TCP",
    port,
    ...present<Pick<ServicePort, "nodePort">>({
      nodePort: onNodes ? raw.at("nodePort").port() : undefined,
    }),
  }];
}

function readAffinity(spec: Raw): number | undefined {
  if (spec.at("sessionAffinity").oneOf(["None", "ClientIP"]) !== "ClientIP") return undefined;
  const seconds = spec.at("sessionAffinityConfig").at("clientIP").at("timeoutSeconds");
  return seconds.integer(1, 86_400) ?? AFFINITY_SECONDS;
}
