import type { NamespaceRef } from "../../attachments/attachment.ts";

/**
 * Devices that are being made in containers' namespaces. What is configured on a device waits here
 * for it instead of requiring VPP's interface: when VPP restarts, its interfaces are made again and
 * the devices, which have stayed, with all that is on them, are left alone.
 */
export class DeviceArrivals {
  readonly #making = new Map<string, Promise<void>>();

  /** Passes `making` on, and lets others wait for its end. */
  async during<T>(netns: NamespaceRef, device: string, making: Promise<T>): Promise<T> {
    const key = keyOf(netns, device);
    const ended = making.then(() => {}, () => {});
    this.#making.set(key, ended);
    try {
      return await making;
    } finally {
      if (this.#making.get(key) === ended) this.#making.delete(key);
    }
  }

  /** Resolves when nobody is making the device (any more), whether it is there or not. */
  async ended(netns: NamespaceRef, device: string): Promise<void> {
    await this.#making.get(keyOf(netns, device));
  }
}

function keyOf({ path, inode }: NamespaceRef, device: string): string {
  return `${inode} ${device} ${path}`;
}
