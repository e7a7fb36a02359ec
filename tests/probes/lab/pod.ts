import { InetSocket, type Libc, type NetNs, PacketSocket } from "@contiv/libc";
import {
  concatBytes,
  ethernetFrame,
  IpAddress,
  type MacAddress,
  type ParsedIp,
  parseEthernet,
  parseIp,
} from "@contiv/net";
import { SILENCE, type Streams } from "./streams.ts";

/** Where a pod is. */
export interface PodPlace {
  readonly name: string;
  /** Index of its interface in VPP. */
  readonly index: number;
  readonly addresses: readonly string[];
  readonly netns: NetNs;
  readonly path: string;
  /** Index of eth0 in its namespace. */
  readonly link: number;
  readonly mac: MacAddress;
  /** VPP's MAC address on its link. */
  readonly gatewayMac: MacAddress;
}

const TEXT = new TextEncoder();

/** A namespace with real sockets, and a packet socket for what they would never send. */
export class Pod implements Disposable {
  readonly name: string;
  readonly index: number;
  readonly addresses: readonly string[];
  readonly place: PodPlace;
  readonly streams: Streams;
  readonly #libc: Libc;
  readonly #wire: PacketSocket;
  readonly #servers: (() => void)[] = [];

  constructor(libc: Libc, place: PodPlace, streams: Streams) {
    this.#libc = libc;
    this.place = place;
    this.name = place.name;
    this.index = place.index;
    this.addresses = place.addresses;
    this.streams = streams;
    this.#wire = place.netns.run(() =>
      PacketSocket.open(libc, { index: place.link, vnetHeader: false, ignoreOutgoing: true })
    );
  }

  /** Its first address. */
  get ip4(): string {
    return this.addresses[0] ?? "";
  }

  /** Its second address. */
  get ip6(): string {
    return this.addresses[1] ?? "";
  }

  /** Serves TCP on a port of every address. */
  async serve(port: number): Promise<void> {
    for (const host of this.addresses) await this.streams.listen(this.name, host, port);
  }

  /** Serves UDP on a port: answers with its name, the client's address and port, and the text. */
  serveUdp(host: string, port: number): void {
    const address = IpAddress.parse(host);
    const socket = this.#datagrams(address);
    socket.bind(address, port);
    const buffer = new Uint8Array(4096);
    const timer = setInterval(() => {
      for (let got; (got = socket.receiveFrom(buffer)) !== undefined;) {
        const text = new TextDecoder().decode(buffer.subarray(0, got.length));
        const answer = TEXT.encode(`${this.name} ${got.address} ${got.port} ${text.slice(0, 40)}`);
        socket.sendTo(answer, got.address, got.port);
      }
    }, 1);
    this.#servers.push(() => {
      clearInterval(timer);
      socket.close();
    });
  }

  /** The answer to a datagram, or the error's code, or {@link SILENCE}. */
  async askUdp(
    host: string,
    port: number,
    options: { readonly text?: string; readonly from?: number; readonly limitMs?: number } = {},
  ): Promise<string> {
    const address = IpAddress.parse(host);
    using socket = this.#datagrams(address);
    const own = this.addresses.map((text) => IpAddress.parse(text));
    const source = own.find(({ family }) => family === address.family);
    if (source === undefined) throw new Error(`Cannot ask ${host}: ${this.name} has no address`);
    socket.bind(source, options.from ?? 0);
    socket.connect(address, port);
    socket.send(TEXT.encode(options.text ?? "hello"));
    const buffer = new Uint8Array(4096);
    const end = performance.now() + (options.limitMs ?? 500);
    while (performance.now() < end) {
      try {
        const length = socket.receive(buffer);
        if (length >= 0) return new TextDecoder().decode(buffer.subarray(0, length));
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return SILENCE;
  }

  /** Sends a whole IP packet as its own frame. */
  send(packet: Uint8Array): void {
    const { gatewayMac: destination, mac: source } = this.place;
    const frame = ethernetFrame({ destination, source, payload: packet });
    this.#wire.write(new Uint8Array(frame));
  }

  /** Forgets what has come in so far. */
  drain(): void {
    const buffer = new Uint8Array(4096);
    while (this.#wire.read(buffer) > 0);
  }

  /** The IP packets that came in during a time, those that the filter lets through. */
  async receive(
    wanted: (ip: ParsedIp) => boolean,
    options: { readonly count?: number; readonly limitMs?: number } = {},
  ): Promise<ParsedIp[]> {
    const found: ParsedIp[] = [];
    const end = performance.now() + (options.limitMs ?? 400);
    const buffer = new Uint8Array(4096);
    while (performance.now() < end && found.length < (options.count ?? 1)) {
      const length = this.#wire.read(buffer);
      if (length <= 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      const frame = parseEthernet(concatBytes(buffer.subarray(0, length)));
      const ip = frame === undefined ? undefined : parseIp(frame.payload);
      if (ip !== undefined && wanted(ip)) found.push(ip);
    }
    return found;
  }

  [Symbol.dispose](): void {
    for (const stop of this.#servers) stop();
    this.#wire.close();
    this.streams[Symbol.dispose]();
    this.place.netns.close();
  }

  #datagrams(address: IpAddress): InetSocket {
    return this.place.netns.run(() =>
      InetSocket.open(this.#libc, { family: address.family, kind: "udp" })
    );
  }
}
