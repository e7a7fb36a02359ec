/** What ADD gives, in the form of CNI 1.1.0 (section 5, ADD Success), without cniVersion. */
export interface CniResult {
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly CniRoute[];
  readonly dns?: CniDns;
}

export interface CniInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** Path of the namespace; absent for an interface of the host. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface CniIp {
  /** In CIDR notation. */
  readonly address: string;
  readonly gateway?: string;
  /** Index into {@link CniResult.interfaces}. */
  readonly interface?: number;
}

export interface CniRoute {
  /** In CIDR notation. */
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface CniDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}
