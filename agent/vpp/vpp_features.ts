import type { DumpName, RequestName, VppClient } from "@contiv/vppapi";

/** What the agent can do without, by what becomes of it: each needs messages that VPP may lack. */
const FEATURES: Readonly<Record<string, readonly (RequestName | DumpName)[]>> = {
  services: [
    "cnat_translation_update",
    "cnat_translation_del",
    "cnat_translation_dump",
    "feature_cnat_enable_disable",
  ],
  "source translation": [
    "cnat_set_snat_addresses_v2",
    "cnat_set_snat_policy",
    "cnat_snat_policy_add_del_if",
    "cnat_snat_policy_add_del_exclude_pfx",
  ],
  policies: ["acl_add_replace", "acl_del", "acl_dump", "acl_interface_set_acl_list"],
  overlay: [
    "vxlan_add_del_tunnel_v3",
    "vxlan_tunnel_v2_dump",
    "bridge_domain_add_del_v2",
    "sw_interface_set_l2_bridge",
    "l2fib_add_del",
  ],
  "veth links": ["af_packet_create_v3", "af_packet_delete"],
};

/** A feature that a VPP does not have, with the messages that it lacks or has otherwise. */
export interface UnavailableFeature {
  readonly feature: string;
  readonly missing: readonly string[];
}

/** Which features this VPP cannot serve. Depends on its release and on the plugins it loaded. */
export function unavailableFeatures(client: VppClient): readonly UnavailableFeature[] {
  return Object.entries(FEATURES).flatMap(([feature, names]) => {
    const missing = client.missing(names).map(({ name, reason }) =>
      reason === "layout" ? `${name} (unknown layout)` : name
    );
    return missing.length === 0 ? [] : [{ feature, missing }];
  });
}
