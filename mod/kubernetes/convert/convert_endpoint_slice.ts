import {
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
  type PodReference,
  PROTOCOLS,
} from "@contiv/model";
import type { Family } from "@contiv/net";
import { readAddress } from "./lenient_address.ts";
import { present, readLabels, readNames } from "./metadata.ts";
import type { Raw } from "./raw.ts";

/** The label that says which service of its namespace a slice belongs to. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/**
 * Reads a discovery.k8s.io/v1 EndpointSlice; `undefined` for one of no service, or of host names.
 * @throws {ConversionError}
 */
export function convertEndpointSlice(raw: Raw): EndpointSlice | undefined {
  const names = readNames(raw);
  const service = readLabels(raw).get(SERVICE_NAME_LABEL);
  const type = raw.at("addressType").oneOf(["IPv4", "IPv6", "FQDN"]);
  if (!service || type === undefined || type === "FQDN") return undefined;
  const family = type === "IPv4" ? 4 : 6;
  return {
    ...names,
    service,
    family,
    ports: raw.at("ports").items().flatMap(readPort),
    endpoints: raw.at("endpoints").items().flatMap((each) => readEndpoint(each, family)),
  };
}

function readPort(raw: Raw): EndpointPort[] {
  const port = raw.at("port").port();
  // What is there and cannot be read must not become every port.
  if (port === undefined && raw.at("port").exists) return [];
  return [{
    name: raw.at("name").text() ?? "",
    protocol: raw.at("protocol").oneOf(PROTOCOLS) ?? "TCP",
    ...present<Pick<EndpointPort, "port">>({ port }),
  }];
}

function readEndpoint(raw: Raw, family: Family): Endpoint[] {
  // Consumers use an endpoint's first address only (the API's text on `addresses`).
  const first = raw.at("addresses").items()[0];
  const address = first?.parsed(readAddress, "an IP address");
  if (address === undefined || first === undefined) return [];
  if (address.family !== family) {
    first.refuse(`an IPv${family} address`);
    return [];
  }
  const conditions = raw.at("conditions");
  const ready = conditions.at("ready").flag() ?? true;
  return [{
    address,
    ready,
    serving: conditions.at("serving").flag() ?? ready,
    terminating: conditions.at("terminating").flag() ?? false,
    zoneHints: readHints(raw.at("hints").at("forZones")),
    nodeHints: readHints(raw.at("hints").at("forNodes")),
    ...present<Pick<Endpoint, "node" | "zone" | "pod">>({
      node: raw.at("nodeName").text() || undefined,
      zone: raw.at("zone").text() || undefined,
      pod: readReference(raw.at("targetRef")),
    }),
  }];
}

function readHints(raw: Raw): string[] {
  return raw.items().flatMap((each) => each.at("name").text() ?? []);
}

function readReference(raw: Raw): PodReference | undefined {
  if (raw.at("kind").text() !== "Pod") return undefined;
  const namespace = raw.at("namespace").text();
  const name = raw.at("name").text();
  return namespace && name ? { namespace, name } : undefined;
}
