import { encodeObject, NO_LABELS, objectKey } from "@contiv/model";
import { IpPrefix } from "@contiv/net";
import type { Store } from "@contiv/store";

/** Kubernetes has a node, as KSR says it. */
export async function register(
  store: Store,
  name: string,
  cidrs: readonly string[] = [],
): Promise<void> {
  const podCidrs = cidrs.map((text) => IpPrefix.parse(text));
  const node = { name, labels: NO_LABELS, internal: [], external: [], podCidrs };
  const value = new TextEncoder().encode(encodeObject("nodes", node));
  await store.transact({ then: [{ type: "put", key: objectKey("nodes", name), value }] });
}

/** Kubernetes has deleted a node. */
export async function unregister(store: Store, name: string): Promise<void> {
  await store.transact({
    then: [{ type: "delete", range: { key: objectKey("nodes", name) } }],
  });
}
