import type { Logger } from "@contiv/log";

export interface EtcdTls {
  /** PEM of the certificates that sign the servers'. @default the system's */
  readonly ca?: Uint8Array;
  /** PEM of the client's certificate and key, for servers that want one. */
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
  /**
   * A DNS name that every server's certificate carries. Needed for endpoints that are IP addresses:
   * Deno's TLS takes no address as a name.
   */
  readonly serverName?: string;
}

export interface EtcdStoreOptions {
  /** `https://HOST:PORT`, `http://HOST:PORT` or `unix:PATH`; all TLS or none. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  /** With TLS, the endpoints must be DNS names then. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Limit of one call, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /**
   * The key that tells this store from others and from itself before a loss of data. A client with
   * `createIdentity` puts it there once; all others read it.
   * @default "/contiv/store/identity"
   */
  readonly identityKey?: string;
  /** @default false */
  readonly createIdentity?: boolean;
  /**
   * Milliseconds between two looks at the store's identity and revision while there are watches.
   * A store that is silent for this long and `timeoutMs` counts as away.
   * @default 5000
   */
  readonly checkMs?: number;
  readonly logger?: Logger;
}

export const DEFAULT_TIMEOUT_MS = 5_000;
export const DEFAULT_CHECK_MS = 5_000;
export const DEFAULT_IDENTITY_KEY = "/contiv/store/identity";
