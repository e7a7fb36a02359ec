import { CnatSnatPolicyFlags, type CnatTranslation, IpProto, type VppClient } from "@contiv/vppapi";
import { address, NONE, prefix } from "../../conformance/values.ts";

/** `<address>|<port>`, so that both families read alike. */
export type Endpoint = `${string}|${number}`;

/** A service as cnat takes it. */
export interface Service {
  readonly vip: Endpoint;
  readonly backends: readonly Endpoint[];
  /** @default TCP */
  readonly protocol?: number;
  /** @default 1, maglev */
  readonly lbType?: number;
  /** @default 0 */
  readonly isRealIp?: number;
  /** CNAT_TRANSLATION_* bits. @default 0 */
  readonly flags?: number;
  /** @default 0, VPP's own */
  readonly flowHash?: number;
}

/** A translation's fields. */
export function translation(service: Service): CnatTranslation {
  const end = (text: Endpoint): CnatTranslation["vip"] => {
    const [host = "", port] = text.split("|");
    return { addr: address(host), sw_if_index: NONE, if_af: 0, port: Number(port) };
  };
  const empty = (like: Endpoint): CnatTranslation["vip"] => ({
    addr: address(like.includes(":") ? "::" : "0.0.0.0"),
    sw_if_index: NONE,
    if_af: 0,
    port: 0,
  });
  return {
    vip: end(service.vip),
    id: NONE,
    ip_proto: service.protocol ?? IpProto.TCP,
    is_real_ip: service.isRealIp ?? 0,
    flags: service.flags ?? 0,
    lb_type: service.lbType ?? 1,
    flow_hash_config: service.flowHash ?? 0,
    paths: service.backends.map((backend) => ({
      dst_ep: end(backend),
      src_ep: empty(backend),
      flags: 0,
    })),
  };
}

/** Sets a translation; gives its id. */
export async function setService(vpp: VppClient, service: Service): Promise<number> {
  const { id } = await vpp.request("cnat_translation_update", {
    translation: translation(service),
  });
  return id;
}

/** The source addresses of translated packets and then the policy of Kubernetes. */
export async function setKubernetesSnat(
  vpp: VppClient,
  ip4: string,
  ip6: string,
  excluded: readonly string[] = [],
  flags: number = CnatSnatPolicyFlags.USE_AS_DEFAULT,
): Promise<void> {
  await vpp.request("cnat_set_snat_addresses_v2", {
    snat_ip4: address(ip4).un.subarray(0, 4),
    snat_ip6: address(ip6).un,
    sw_if_index: NONE,
    flags,
  });
  await vpp.request("cnat_set_snat_policy", { policy: 2 });
  for (const text of excluded) {
    await vpp.request("cnat_snat_policy_add_del_exclude_pfx", {
      is_add: 1,
      prefix: prefix(text),
    });
  }
}

/** Puts an interface into a table of the Kubernetes policy: 0 and 1 include, 2 pods, 3 host. */
export async function inTable(vpp: VppClient, swIfIndex: number, table: number): Promise<void> {
  await vpp.request("cnat_snat_policy_add_del_if", { sw_if_index: swIfIndex, is_add: 1, table });
}
