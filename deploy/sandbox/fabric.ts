import { type Libc, NetNs, RtNetlink } from "@contiv/libc";
import { IpAddress, IpPrefix } from "@contiv/net";

/** Numbers of the fabric: they stay clear of the cluster's default subnets. */
const MANAGEMENT = "192.168.100";
/** Where the store and KSR are: on the fabric itself. */
const FABRIC_HOST = `${MANAGEMENT}.254`;
/** The routers' addresses on the interconnect, behind which the internet is. */
export const GATEWAYS = ["192.168.16.254", "fd10:4::a000:fffe"] as const;
/** Somebody on the internet. */
export const INTERNET = ["198.51.100.1", "2001:db8:99::1"] as const;

export interface FabricOptions {
  /** Unique on this machine. */
  readonly name: string;
  /** The directory that network namespaces are named in. */
  readonly namespaces: string;
  /** Of nodes' uplinks. @default 1500 */
  readonly mtu?: number;
}

/**
 * What is between the nodes of a sandbox: a bridge that joins their uplinks, another for their
 * management, on which the store is, and an internet that knows the way to nodes and pods.
 */
export class Fabric {
  readonly #libc: Libc;
  readonly #options: FabricOptions;

  constructor(libc: Libc, options: FabricOptions) {
    this.#libc = libc;
    this.#options = options;
  }

  get netns(): string {
    return `${this.#options.namespaces}/contiv-${this.#options.name}-fabric`;
  }

  get internetNetns(): string {
    return `${this.#options.namespaces}/contiv-${this.#options.name}-internet`;
  }

  /** The address on which the store is reached from every node. */
  get host(): string {
    return FABRIC_HOST;
  }

  /** The address that Kubernetes knows a node by: on a device of the kernel's own. */
  internalAddress(node: number): string {
    return `${MANAGEMENT}.${node}`;
  }

  create(): void {
    using fabric = NetNs.create(this.#libc, this.netns);
    using internet = NetNs.create(this.#libc, this.internetNetns);
    using netlink = RtNetlink.open(this.#libc, fabric);
    for (const name of ["lo"]) up(netlink, name);
    for (const name of ["uplinks", "manage"]) {
      netlink.createBridge(name);
      up(netlink, name);
    }
    fabric.run(() => writeSysctl("net/ipv6/conf/uplinks/disable_ipv6", "1"));
    addAddress(netlink, "manage", `${FABRIC_HOST}/24`);
    this.#join(netlink, "internet", "eth0", internet, "uplinks");

    using far = RtNetlink.open(this.#libc, internet);
    internet.run(() => {
      writeSysctl("net/ipv4/ip_forward", "0");
      // As a router asks who has a node's address: VPP answers nobody whose own is not on the link.
      writeSysctl("net/ipv4/conf/all/arp_announce", "2");
      writeSysctl("net/ipv6/conf/all/accept_dad", "0");
      writeSysctl("net/ipv6/conf/eth0/accept_dad", "0");
    });
    for (const name of ["lo", "eth0"]) up(far, name);
    for (const address of INTERNET) {
      addAddress(far, "lo", `${address}/${address.includes(":") ? 128 : 32}`);
    }
    addAddress(far, "eth0", `${GATEWAYS[0]}/24`);
    addAddress(far, "eth0", `${GATEWAYS[1]}/112`);
  }

  /** Gives a node its uplink `eth0`, for VPP, and `manage0`, which stays the kernel's. */
  join(node: number, namespace: NetNs): void {
    using fabric = NetNs.open(this.#libc, this.netns);
    using netlink = RtNetlink.open(this.#libc, fabric);
    this.#join(netlink, `uplink${node}`, "eth0", namespace, "uplinks");
    this.#join(netlink, `manage${node}`, "manage0", namespace, "manage");
    using inside = RtNetlink.open(this.#libc, namespace);
    for (const name of ["lo", "eth0", "manage0"]) up(inside, name);
    addAddress(inside, "manage0", `${this.internalAddress(node)}/24`);
  }

  /** Plugs a node in, or pulls its plugs. */
  setPower(node: number, on: boolean): void {
    using fabric = NetNs.open(this.#libc, this.netns);
    using netlink = RtNetlink.open(this.#libc, fabric);
    for (const name of [`uplink${node}`, `manage${node}`]) setUp(netlink, name, on);
  }

  /** Tells the internet that a node's pods are behind its uplink. It asks them under its own name. */
  announce(prefixes: readonly string[], uplink: readonly string[]): void {
    using internet = NetNs.open(this.#libc, this.internetNetns);
    using netlink = RtNetlink.open(this.#libc, internet);
    for (const text of prefixes) {
      const destination = IpPrefix.parse(text);
      const gateway = uplink.map((each) => IpAddress.parse(each))
        .find(({ family }) => family === destination.family);
      if (gateway === undefined) continue;
      const { family } = destination;
      const source = INTERNET.map((each) => IpAddress.parse(each))
        .find((each) => each.family === family);
      netlink.addRoute({ family, destination, gateway, ...source && { source } }, "replace");
    }
  }

  remove(): void {
    for (const path of [this.internetNetns, this.netns]) {
      try {
        NetNs.remove(this.#libc, path);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      }
    }
  }

  #join(netlink: RtNetlink, near: string, far: string, to: NetNs, bridge: string): void {
    const mtu = this.#options.mtu ?? 1500;
    netlink.createVeth({ name: near, mtu, peer: { name: far, mtu, ns: to } });
    const master = netlink.link(bridge)?.index;
    const index = netlink.link(near)?.index;
    if (master === undefined || index === undefined) throw new Error(`Cannot join ${near}`);
    netlink.setLink(index, { master, up: true });
  }
}

function up(netlink: RtNetlink, name: string): void {
  setUp(netlink, name, true);
}

function setUp(netlink: RtNetlink, name: string, up: boolean): void {
  const link = netlink.link(name);
  if (link === undefined) {
    throw new Error(`Cannot set ${name} ${up ? "up" : "down"}: it does not exist`);
  }
  netlink.setLink(link.index, { up });
}

function addAddress(netlink: RtNetlink, device: string, text: string): void {
  const { address, length } = IpPrefix.parse(text);
  const index = netlink.link(device)?.index;
  if (index === undefined) throw new Error(`Cannot give ${device} an address: it does not exist`);
  netlink.addAddress({ index, address, prefixLength: length, nodad: address.family === 6 });
}

function writeSysctl(path: string, value: string): void {
  Deno.writeTextFileSync(`/proc/sys/${path}`, value);
}
