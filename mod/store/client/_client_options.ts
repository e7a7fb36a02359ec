import { Buffer } from "node:buffer";
import type { IOptions } from "etcd3";
import { StoreError } from "../store_error.ts";
import type { EtcdStoreOptions } from "./etcd_store_options.ts";

/** etcd3's policies (cockatiel) replaced by none: its breaker fails all calls for 5 s. */
const NO_POLICY = {
  _altReturn: undefined as never,
  onSuccess: () => ({ dispose: () => {} }),
  onFailure: () => ({ dispose: () => {} }),
  execute: async <T>(fn: (context: { signal: AbortSignal }) => PromiseLike<T> | T): Promise<T> =>
    await fn({ signal: new AbortController().signal }),
};

/**
 * Milliseconds without a sign of life after which a connection in use is asked for one, and those
 * that the answer may take: what a network swallows without a word ends so. etcd and its proxy bear
 * no question within 5 s of another (`--grpc-keepalive-min-time`).
 */
export const KEEPALIVE_MS = 7_000;
export const KEEPALIVE_ANSWER_MS = 3_000;

const ADDRESS = /^https:\/\/(\[|\d+\.\d+\.\d+\.\d+(:|$))/;

/** @throws {StoreError} INVALID for options that cannot be used */
export function checkEndpoints({ endpoints, tls, user }: EtcdStoreOptions): void {
  const fail = (found: string, wanted: string): never => {
    throw new StoreError("INVALID", `Cannot use a store: ${found}, ${wanted} wanted`);
  };
  if (endpoints.length === 0) fail("no endpoint is named", "one or more");
  for (const name of endpoints) {
    if (!/^(https?:\/\/[^/]+|unix:\/.+)$/.test(name)) {
      fail(`the endpoint is ${name}`, "https://HOST:PORT, http://HOST:PORT or unix:PATH");
    }
    if (ADDRESS.test(name) && tls?.serverName === undefined) {
      fail(
        `the endpoint ${name} is an address and no server name is given`,
        "a DNS name of its certificate",
      );
    }
    // etcd3 asks for a token on a connection of its own, which knows no server name.
    if (ADDRESS.test(name) && user !== undefined) {
      fail(`the endpoint ${name} is an address and there is a user`, "a DNS name as the endpoint");
    }
  }
  const secure = endpoints.filter((name) => name.startsWith("https:")).length;
  if (secure !== 0 && secure !== endpoints.length) {
    fail(`${secure} of ${endpoints.length} endpoints use TLS`, "all or none");
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    fail("only one of certificate and key is given", "both or none");
  }
  if (tls?.cert !== undefined && tls.ca === undefined) {
    fail("a certificate is given and none that signs the server's", "both");
  }
}

/**
 * What etcd3 is opened with for one endpoint.
 * @param clients how many there were before, so that none of their connections is taken
 */
export function clientOptions(
  name: string,
  options: EtcdStoreOptions,
  timeoutMs: number,
  clients: number,
): IOptions {
  const { tls, user } = options;
  return {
    hosts: name,
    ...(!name.startsWith("https:") || tls?.ca === undefined ? {} : {
      credentials: {
        rootCertificate: Buffer.from(tls.ca),
        ...(tls.key === undefined ? {} : { privateKey: Buffer.from(tls.key) }),
        ...(tls.cert === undefined ? {} : { certChain: Buffer.from(tls.cert) }),
      },
    }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
    defaultCallOptions: ({ isStream }) => isStream ? {} : { deadline: Date.now() + timeoutMs },
    faultHandling: { host: () => NO_POLICY, global: NO_POLICY },
    grpcOptions: {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_ANSWER_MS,
      // Channels with the same options share a connection.
      "contiv.clients": clients,
      ...(tls?.serverName === undefined ? {} : {
        "grpc.ssl_target_name_override": tls.serverName,
        "grpc.default_authority": tls.serverName,
      }),
    },
  };
}
