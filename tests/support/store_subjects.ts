import { EtcdStore, type EtcdStoreOptions } from "@contiv/store";
import { missingPackages } from "./packages.ts";
import { GrpcProxy } from "./grpc_proxy.ts";
import { type StoreKind, StoreProcess, type StoreProcessOptions } from "./store_process.ts";

/** A store under test, and a client's way to it. */
export interface StoreSubject extends AsyncDisposable {
  readonly process: StoreProcess;
  /** Where clients go: the store, or a proxy before it. */
  readonly endpoint: string;
  readonly proxied: boolean;
  /** A client; it is closed with the subject. */
  open(options?: Partial<EtcdStoreOptions>): EtcdStore;
}

/** A store, and the way to it. */
export interface StoreSide {
  readonly kind: StoreKind;
  readonly proxied: boolean;
  readonly title: string;
}

const SIDES: readonly StoreSide[] = [
  { kind: "contiv store", proxied: false, title: "on contiv store" },
  { kind: "etcd", proxied: false, title: "on etcd" },
  { kind: "contiv store", proxied: true, title: "on contiv store behind grpc-proxy" },
  { kind: "etcd", proxied: true, title: "on etcd behind grpc-proxy" },
];

/** Short waits, so that outages are noticed within a test. */
const QUICK: Partial<EtcdStoreOptions> = { timeoutMs: 3_000, checkMs: 500 };

export async function startSubject(
  kind: StoreKind,
  proxied: boolean,
  options: StoreProcessOptions = {},
): Promise<StoreSubject> {
  const stack = new AsyncDisposableStack();
  const process = stack.use(await StoreProcess.start(kind, options));
  const proxy = proxied ? stack.use(await GrpcProxy.start(process.address)) : undefined;
  const endpoint = proxy?.endpoint ?? process.endpoint;
  return {
    process,
    endpoint,
    proxied,
    open: (more = {}) =>
      stack.use(EtcdStore.open({ endpoints: [endpoint], ...QUICK, createIdentity: true, ...more })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export interface StoreTestOptions {
  /** Behind grpc-proxy too. @default true */
  readonly proxies?: boolean;
  /** Without the proxy too. @default true */
  readonly direct?: boolean;
  readonly kinds?: readonly StoreKind[];
}

/** Runs a test once on each store, directly and behind etcd's proxy. */
export function storeTest(
  name: string,
  fn: (side: StoreSide, t: Deno.TestContext) => Promise<void>,
  { proxies = true, direct = true, kinds = ["contiv store", "etcd"] }: StoreTestOptions = {},
): void {
  for (const side of SIDES) {
    if (!kinds.includes(side.kind) || (side.proxied ? !proxies : !direct)) continue;
    const why = (side.kind === "etcd" || side.proxied) && etcdMissing()
      ? " (skipped: it needs the package etcd-server)"
      : "";
    Deno.test({
      name: `${name} ${side.title}${why}`,
      ignore: why !== "",
      // Connections of the gRPC client end a little after it was closed.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: (t) => fn(side, t),
    });
  }
}

/** Whether tests that need etcd and etcdctl cannot run here. */
export function etcdMissing(): boolean {
  return missingPackages().some((name) => name.startsWith("etcd-"));
}
