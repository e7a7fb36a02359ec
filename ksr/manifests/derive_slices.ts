import { type Manifest, Raw, readAddress, SERVICE_NAME_LABEL } from "@contiv/kubernetes";
import { hasEnded, PHASES, PROTOCOLS, ZONE_LABEL } from "@contiv/model";
import type { IpAddress } from "@contiv/net";

/** Kubernetes' own limit of a slice. */
const MAX_ENDPOINTS = 1_000;

interface Group {
  readonly family: 4 | 6;
  readonly ports: readonly Record<string, unknown>[];
  readonly endpoints: Record<string, unknown>[];
}

/**
 * The slices that Kubernetes' controller would make for a service, out of the pods that its selector
 * selects. Pods whose named ports differ are in slices of their own.
 * @param pods of the service's namespace, sorted by name
 * @param nodes by name
 */
export function deriveSlices(
  service: Manifest,
  pods: readonly Manifest[],
  nodes: ReadonlyMap<string, Manifest>,
): Manifest[] {
  const raw = Raw.of(service, () => {});
  const spec = raw.at("spec");
  const selector = spec.at("selector").map();
  if (selector.size === 0 || spec.at("type").text() === "ExternalName") return [];
  const unready = spec.at("publishNotReadyAddresses").flag() ?? false;
  const groups = new Map<string, Group>();
  for (const manifest of pods) {
    const pod = Raw.of(manifest, () => {});
    const labels = pod.at("metadata").at("labels").map();
    if (![...selector].every(([key, value]) => labels.get(key) === value)) continue;
    for (const address of firstOfFamilies(pod)) {
      const ports = resolvePorts(spec, pod);
      const key = `${address.family} ${JSON.stringify(ports)}`;
      const group = groups.get(key) ?? { family: address.family, ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push(endpointOf(pod, address, unready, nodes));
    }
  }
  return [...groups.values()].flatMap((group, i) => toSlices(service, group, i));
}

/** A pod's first address of each family; none once it has ended. */
function firstOfFamilies(pod: Raw): IpAddress[] {
  const status = pod.at("status");
  if (hasEnded({ phase: status.at("phase").oneOf(PHASES) ?? "Pending" })) return [];
  const several = status.at("podIPs").items().map((each) => each.at("ip"));
  const all = (several.length > 0 ? several : [status.at("podIP")]).flatMap((each) =>
    each.value === "" ? [] : each.parsed(readAddress, "an address") ?? []
  );
  const first = ([4, 6] as const).map((family) => all.find((each) => each.family === family));
  return first.filter((each) => each !== undefined);
}

/** A service's ports as this pod serves them; one whose name it lacks is left out. */
function resolvePorts(spec: Raw, pod: Raw): Record<string, unknown>[] {
  return spec.at("ports").items().flatMap((each) => {
    const protocol = each.at("protocol").oneOf(PROTOCOLS) ?? "TCP";
    const target = each.at("targetPort");
    const port = typeof target.value === "string"
      ? namedPort(pod, target.value, protocol)
      : target.port() ?? each.at("port").port();
    const name = each.at("name").text() ?? "";
    return port === undefined ? [] : [{ name, protocol, port }];
  });
}

function namedPort(pod: Raw, name: string, protocol: string): number | undefined {
  const spec = pod.at("spec");
  const ports = [...spec.at("containers").items(), ...spec.at("initContainers").items()]
    .flatMap((container) => container.at("ports").items());
  return ports.find((each) =>
    each.at("name").text() === name && (each.at("protocol").text() ?? "TCP") === protocol
  )?.at("containerPort").port();
}

function endpointOf(
  pod: Raw,
  address: IpAddress,
  unready: boolean,
  nodes: ReadonlyMap<string, Manifest>,
): Record<string, unknown> {
  const metadata = pod.at("metadata");
  const terminating = metadata.at("deletionTimestamp").exists;
  const serving = isReady(pod);
  const nodeName = pod.at("spec").at("nodeName").text();
  const node = nodeName === undefined ? undefined : nodes.get(nodeName);
  const zone = Raw.of(node, () => {}).at("metadata").at("labels").map().get(ZONE_LABEL);
  return {
    addresses: [address.toString()],
    conditions: { ready: unready || (serving && !terminating), serving, terminating },
    targetRef: {
      kind: "Pod",
      namespace: metadata.at("namespace").value,
      name: metadata.at("name").value,
    },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  };
}

/** As its Ready condition says; a manifest without one that has an address means a ready pod. */
function isReady(pod: Raw): boolean {
  const conditions = pod.at("status").at("conditions").items();
  const ready = conditions.find((each) => each.at("type").text() === "Ready");
  return ready === undefined || ready.at("status").text() === "True";
}

function toSlices(
  service: Manifest,
  { family, ports, endpoints }: Group,
  group: number,
): Manifest[] {
  const { name, namespace = "default" } = service.metadata;
  const count = Math.ceil(endpoints.length / MAX_ENDPOINTS);
  return Array.from({ length: count }, (_, i) => ({
    metadata: {
      name: `${name}-ipv${family}-${group}-${i}`,
      namespace,
      labels: { [SERVICE_NAME_LABEL]: name },
    },
    addressType: `IPv${family}`,
    ports,
    endpoints: endpoints.slice(i * MAX_ENDPOINTS, (i + 1) * MAX_ENDPOINTS),
  }));
}
