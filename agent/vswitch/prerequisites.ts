import { type Libc, LibcError, PacketSocket, RtNetlink, Tap } from "@contiv/libc";

/** The interface that every network namespace has. */
const LOOPBACK_INDEX = 1;

/** What was found by trying, one sentence for each thing. */
export interface Prerequisites {
  /** What the process cannot do without. */
  readonly missing: readonly string[];
  /** What it does without: containers get a veth pair in place of a TAP. */
  readonly absent: readonly string[];
}

/** What this process lacks to make TAPs and packet sockets. */
export function checkPrerequisites(libc: Libc): Prerequisites {
  const missing: string[] = [];
  const absent: string[] = [];
  const attempt = (work: () => void, wanted: string, mayBeAbsent = false): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof LibcError)) throw error;
      const list = mayBeAbsent && error.operation === "open" ? absent : missing;
      list.push(`${error.message}; ${wanted}`);
    }
  };
  attempt(
    () => Tap.open(libc, { name: "contiv%d", vnetHeader: true }).close(),
    "/dev/net/tun (kernel module tun) and the capability CAP_NET_ADMIN are wanted",
    true,
  );
  attempt(
    () =>
      PacketSocket.open(libc, { index: LOOPBACK_INDEX, vnetHeader: true, ignoreOutgoing: true })
        .close(),
    "the capability CAP_NET_RAW is wanted",
  );
  attempt(() => RtNetlink.open(libc).close(), "rtnetlink is wanted");
  return { missing, absent };
}
