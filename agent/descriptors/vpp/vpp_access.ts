import type { VppClient } from "@contiv/vppapi";

/** Where descriptors get their connection from: VPP comes and goes. */
export interface VppAccess {
  /**
   * The connection of the moment.
   * @throws {VppConnectionError} retryable, while there is none
   */
  client(): VppClient;
}
