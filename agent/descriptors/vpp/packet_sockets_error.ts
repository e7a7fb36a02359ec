/** VPP has as many packet sockets open as it survives. */
export class PacketSocketsError extends Error {
  override readonly name = "PacketSocketsError";
  /** Another container may go. */
  readonly retryable = true;

  constructor(device: string, open: number) {
    super(
      `Cannot open ${device} in VPP: ${open} packet sockets are open, fewer wanted, since VPP hangs ` +
        "when 16 have frames at once; load the kernel module vhost_net, and TAPs take their place",
    );
  }
}
