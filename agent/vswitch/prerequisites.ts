import { type Libc, LibcError, PacketSocket, RtNetlink, Tap } from "@contiv/libc";

/** The interface that every network namespace has. */
const LOOPBACK_INDEX = 1;

/**
 * What this process lacks to make TAPs and packet sockets, found by trying.
 * @returns one sentence for each thing missing; none if all is there
 */
export function checkPrerequisites(libc: Libc): string[] {
  const missing: string[] = [];
  const attempt = (work: () => void, wanted: string): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      missing.push(`${error.message}; ${wanted}`);
    }
  };
  attempt(
    () => Tap.open(libc, { name: "contiv%d", vnetHeader: true }).close(),
    "/dev/net/tun (kernel module tun) and the capability CAP_NET_ADMIN are wanted",
  );
  attempt(
    () =>
      PacketSocket.open(libc, { index: LOOPBACK_INDEX, vnetHeader: true, ignoreOutgoing: true })
        .close(),
    "the capability CAP_NET_RAW is wanted",
  );
  attempt(() => RtNetlink.open(libc).close(), "rtnetlink is wanted");
  return missing;
}
