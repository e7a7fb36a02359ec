import { StoreError } from "../store_error.ts";
import type { EtcdStoreOptions, EtcdTls } from "./etcd_store_options.ts";

/** How to get into a store, as flags and configurations say it: secrets are in files. */
export interface StoreAccess {
  /** `https://HOST:PORT`, `http://HOST:PORT` or `unix:PATH`; all TLS or none. */
  readonly endpoints: readonly string[];
  /** PEM file of the certificates that sign the servers'. */
  readonly ca?: string;
  /** PEM files of our certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** A DNS name that every server's certificate carries. */
  readonly serverName?: string;
  readonly user?: StoreUser;
}

export interface StoreUser {
  readonly name: string;
  /** White space at its end is not part of the password. */
  readonly passwordFile: string;
}

/**
 * Reads the files that are named.
 * @throws {StoreError} INVALID, with the file that cannot be read
 */
export function readStoreAccess(
  { endpoints, ca, cert, key, serverName, user }: StoreAccess,
): Pick<EtcdStoreOptions, "endpoints" | "tls" | "user"> {
  const tls: EtcdTls = {
    ...(ca === undefined ? {} : { ca: readFile(ca) }),
    ...(cert === undefined ? {} : { cert: readFile(cert) }),
    ...(key === undefined ? {} : { key: readFile(key) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return {
    endpoints,
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(user === undefined ? {} : {
      user: { name: user.name, password: readText(user.passwordFile).trimEnd() },
    }),
  };
}

function readText(path: string): string {
  return new TextDecoder().decode(readFile(path));
}

function readFile(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot use a store: ${path} is unreadable (${reason}), a file of ours wanted`;
    throw new StoreError("INVALID", message, { cause });
  }
}
