import type { VppClient } from "@contiv/vppapi";
import type { VppInterface, VppInterfaceMeta } from "../../items/mod.ts";
import type { PodNamespace } from "../linux/mod.ts";

/** What is known of a container's interface once it is made. */
export interface PodLinkMeta extends VppInterfaceMeta {
  /** The node's end of a veth pair; absent for a TAP. */
  readonly nodeDevice?: string;
}

/** How a container's device is connected with VPP. */
export interface PodLink {
  /**
   * Makes the interface, tagged, and the device in the namespace, or attaches to the device that is
   * already there from before VPP restarted.
   *
   * @throws {DeviceError} FOREIGN if the device's name is taken
   */
  create(client: VppClient, value: VppInterface, namespace: PodNamespace): Promise<PodLinkMeta>;
  /** Removes both. Idempotent. */
  delete(client: VppClient, meta: PodLinkMeta): Promise<void>;
}
