import type { Logger } from "@contiv/log";
import { EtcdStore, readStoreAccess, type StoreAccess, StoreError } from "@contiv/store";
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
 */
export function openStore(flags: StoreFlags, options: OpenStoreOptions = {}): EtcdStore {
  const access = accessOf(flags);
  try {
    return EtcdStore.open({ ...readStoreAccess(access), ...options });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function accessOf(flags: StoreFlags): StoreAccess {
  const endpoints = flags.store.split(",").map((each) => each.trim()).filter((each) => each !== "");
  if (endpoints.length === 0) throw new UsageError("--store is empty, endpoints wanted");
  const { "store-ca": ca, "store-cert": cert, "store-key": key } = flags;
  const { "store-server-name": serverName, "store-user": name } = flags;
  const { "store-password-file": passwordFile } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--store-cert and --store-key: one is given, both wanted");
  }
  if ((name === undefined) !== (passwordFile === undefined)) {
    throw new UsageError("--store-user and --store-password-file: one is given, both wanted");
  }
  return {
    endpoints,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(name === undefined || passwordFile === undefined ? {} : { user: { name, passwordFile } }),
  };
}
