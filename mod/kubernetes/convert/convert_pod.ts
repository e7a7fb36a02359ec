import { type ContainerPort, hasEnded, PHASES, type Pod, PROTOCOLS } from "@contiv/model";
import { readAddress } from "./lenient_address.ts";
import { present, readLabels, readNames } from "./metadata.ts";
import type { Raw } from "./raw.ts";

/** Reads a v1 Pod. @throws {ConversionError} */
export function convertPod(raw: Raw): Pod {
  const spec = raw.at("spec");
  const status = raw.at("status");
  const phase = status.at("phase").oneOf(PHASES) ?? "Pending";
  const hostNetwork = spec.at("hostNetwork").flag() ?? false;
  // An init container that restarts always is a sidecar: it runs beside the others.
  const sidecars = spec.at("initContainers").items()
    .filter((each) => each.at("restartPolicy").text() === "Always");
  const containers = [...sidecars, ...spec.at("containers").items()];
  return {
    ...readNames(raw),
    labels: readLabels(raw),
    ...present<Pick<Pod, "node">>({ node: spec.at("nodeName").text() || undefined }),
    phase,
    addresses: hostNetwork || hasEnded({ phase }) ? [] : readAddresses(status),
    hostNetwork,
    ports: containers.flatMap((each) =>
      each.at("ports").items().flatMap((port) => readPort(port, hostNetwork))
    ),
  };
}

function readAddresses(status: Raw): Pod["addresses"] {
  const all = status.at("podIPs").items().map((each) => each.at("ip"));
  return (all.length > 0 ? all : [status.at("podIP")]).flatMap((each) =>
    each.value === "" ? [] : each.parsed(readAddress, "an IP address") ?? []
  );
}

/** A port that somebody may refer to: by name, or through the node. */
function readPort(raw: Raw, hostNetwork: boolean): ContainerPort[] {
  const port = raw.at("containerPort").port();
  const name = raw.at("name").text() ?? "";
  // On the host's network a port is the node's already.
  const hostPort = hostNetwork ? undefined : raw.at("hostPort").port();
  if (port === undefined || (name === "" && hostPort === undefined)) return [];
  const hostIp = raw.at("hostIP");
  return [{
    name,
    protocol: raw.at("protocol").oneOf(PROTOCOLS) ?? "TCP",
    port,
    ...present<Pick<ContainerPort, "hostPort" | "hostIp">>({
      hostPort,
      hostIp: hostPort === undefined || hostIp.value === ""
        ? undefined
        : hostIp.parsed(readAddress, "an IP address"),
    }),
  }];
}
