import { assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress } from "@contiv/net";
import { Epoll } from "./epoll.ts";
import { EPOLLIN } from "./constants/system.ts";
import { LibcError } from "./error.ts";
import { InetSocket } from "./inet_socket.ts";
import { Libc } from "./libc.ts";

for (const text of ["127.0.0.1", "::1"]) {
  const loopback = IpAddress.parse(text);

  Deno.test(`a datagram to ${text} is answered to where it came from`, () => {
    using libc = Libc.open();
    using epoll = Epoll.open(libc);
    using server = InetSocket.open(libc, { family: loopback.family, kind: "udp" });
    using client = InetSocket.open(libc, { family: loopback.family, kind: "udp" });
    server.bind(loopback, 0);
    client.bind(loopback, 0);
    const buffer = new Uint8Array(64);
    assertEquals(server.receiveFrom(buffer), undefined);
    assertEquals(client.receive(buffer), -1);

    // The server's port is learned from a datagram that it sends, as there is no getsockname.
    const port = (from: InetSocket, to: InetSocket): number => {
      const probe = portOf(from);
      to.sendTo(Uint8Array.of(1), loopback, probe);
      epoll.add(from.fd, EPOLLIN, 1);
      assertEquals(epoll.wait(1_000), 1);
      const got = from.receiveFrom(buffer);
      epoll.remove(from.fd);
      assertEquals(got?.length, 1);
      assertEquals(got?.address.toString(), text);
      return got?.port ?? 0;
    };
    const clientPort = port(server, client);
    client.connect(loopback, portOf(server));
    server.sendTo(Uint8Array.of(7, 8, 9), loopback, clientPort);
    epoll.add(client.fd, EPOLLIN, 2);
    assertEquals(epoll.wait(1_000), 1);
    assertEquals(client.receive(buffer), 3);
    assertEquals([...buffer.subarray(0, 3)], [7, 8, 9]);
  });
}

/** The local port of a socket, from /proc/net/udp and udp6 by the descriptor's inode. */
function portOf(socket: InetSocket): number {
  const inode = /\[(\d+)\]/.exec(Deno.readLinkSync(`/proc/self/fd/${socket.fd}`))?.[1];
  for (const file of ["udp", "udp6"]) {
    for (const line of Deno.readTextFileSync(`/proc/self/net/${file}`).split("\n")) {
      const fields = line.trim().split(/\s+/);
      if (fields[9] === inode) return parseInt(fields[1]?.split(":")[1] ?? "", 16);
    }
  }
  throw new Error(`Cannot find the socket with inode ${inode}`);
}

Deno.test("an address that is not the namespace's own is refused by its name", () => {
  using libc = Libc.open();
  using socket = InetSocket.open(libc, { family: 4, kind: "udp" });
  const error = assertThrows(
    () => socket.bind(IpAddress.parse("192.0.2.1"), 0),
    LibcError,
    "192.0.2.1",
  );
  assertEquals(error.code, "EADDRNOTAVAIL");
});
