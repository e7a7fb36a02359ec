import type { VppClient } from "@contiv/vppapi";
import type { VppInterface } from "../../items/mod.ts";
import type { PodNamespace } from "../linux/mod.ts";

/** How a container's device is connected with VPP. */
export interface PodLink {
  readonly kind: "tap" | "veth";
  /**
   * Makes the interface, tagged, and the device in the namespace, or attaches to the device that is
   * already there from before VPP restarted.
   *
   * @returns VPP's index of the interface
   * @throws {DeviceError} FOREIGN if the device's name is taken
   */
  create(client: VppClient, value: VppInterface, namespace: PodNamespace): Promise<number>;
  /** Removes both. Idempotent. */
  delete(client: VppClient, swIfIndex: number, interfaceName: string): Promise<void>;
  /** Whether VPP's interface of this name is of this kind. */
  owns(interfaceName: string): boolean;
}
