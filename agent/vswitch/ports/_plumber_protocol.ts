/** What is asked of the plumber's thread. Plain values only: they cross between threads. */
export type PlumberRequest =
  | { readonly kind: "tap"; readonly spec: PlainTapSpec }
  | { readonly kind: "packet"; readonly hostIfName: string }
  | { readonly kind: "link"; readonly hostIfName: string; readonly up: boolean };

/** A {@link TapSpec} in plain values: addresses as text, `undefined` left out. */
export interface PlainTapSpec {
  readonly hostIfName: string | undefined;
  readonly hostNamespace: string | undefined;
  readonly hostBridge: string | undefined;
  readonly hostMac: string;
  readonly hostMtu: number | undefined;
  readonly hostPrefixes: readonly string[];
  readonly hostGateways: readonly string[];
  readonly persist: boolean;
  readonly offload: boolean;
}

/** A descriptor, which belongs to the process and now to whoever asked. */
export interface Plumbed {
  readonly fd: number;
  /** Name and index of the host's interface. */
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  /** Whether it takes frames of many UDP datagrams. */
  readonly segmentsUdp: boolean;
}

/** A request and its number, as sent to the thread. */
export interface PlumberCall {
  readonly id: number;
  readonly request: PlumberRequest;
}

/** The answer to the call of that number. */
export type PlumberAnswer =
  | { readonly id: number; readonly result: Plumbed | undefined }
  | { readonly id: number; readonly retval: number; readonly message: string };
