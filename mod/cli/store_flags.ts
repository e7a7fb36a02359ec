import type { Logger } from "@contiv/log";
import { EtcdStore, type EtcdTls } from "@contiv/store";
import type { FlagSpec } from "./parse_flags.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The flags of commands that use the store. Not part of mod.ts: it would load the store's client
 * into every command.
 */
export const STORE_FLAGS = {
  store: {
    type: "string",
    value: "ENDPOINTS",
    help: "the store's endpoints, separated by commas: http(s)://HOST:PORT or unix:PATH",
    default: "http://127.0.0.1:2379",
  },
  "store-ca": { type: "string", value: "FILE", help: "PEM of who signs the store's certificates" },
  "store-cert": { type: "string", value: "FILE", help: "PEM of our certificate for the store" },
  "store-key": { type: "string", value: "FILE", help: "PEM of its key" },
  "store-server-name": {
    type: "string",
    value: "NAME",
    help: "a DNS name that every server's certificate carries; needed for IP addresses",
  },
  "store-user": { type: "string", value: "NAME", help: "our user of the store" },
  "store-password-file": { type: "string", value: "FILE", help: "holds the user's password" },
} as const satisfies Record<string, FlagSpec>;

/** What {@link STORE_FLAGS} were set to. */
export type StoreFlags = {
  readonly [K in keyof typeof STORE_FLAGS]: K extends "store" ? string : string | undefined;
};

export interface OpenStoreOptions {
  readonly logger?: Logger;
  /** Whether this is the one that gives a new store its identity. @default false */
  readonly createIdentity?: boolean;
}

/**
 * Opens the store that the flags mean.
 * @throws {UsageError} for flags that cannot work, and files that cannot be read
 * @throws {StoreError} INVALID
 */
export function openStore(flags: StoreFlags, options: OpenStoreOptions = {}): EtcdStore {
  const endpoints = flags.store.split(",").map((each) => each.trim()).filter((each) => each !== "");
  if (endpoints.length === 0) throw new UsageError("--store is empty, endpoints wanted");
  const tls = readTls(flags);
  const name = flags["store-user"];
  const passwordFile = flags["store-password-file"];
  if ((name === undefined) !== (passwordFile === undefined)) {
    throw new UsageError("--store-user and --store-password-file: one is given, both wanted");
  }
  return EtcdStore.open({
    endpoints,
    ...options,
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(name === undefined || passwordFile === undefined ? {} : {
      user: { name, password: new TextDecoder().decode(readFile(passwordFile)).trimEnd() },
    }),
  });
}

function readTls(flags: StoreFlags): EtcdTls {
  const { "store-ca": ca, "store-cert": cert, "store-key": key, "store-server-name": name } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--store-cert and --store-key: one is given, both wanted");
  }
  return {
    ...(ca === undefined ? {} : { ca: readFile(ca) }),
    ...(cert === undefined ? {} : { cert: readFile(cert) }),
    ...(key === undefined ? {} : { key: readFile(key) }),
    ...(name === undefined ? {} : { serverName: name }),
  };
}

function readFile(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read ${path}: ${reason}`, { cause });
  }
}
