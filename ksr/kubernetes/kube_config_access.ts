import { bufferFromFileOrString, KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { RequestOptions } from "node:https";
import { parse } from "yaml";
import type { ApiAccess, ApiAccessSource } from "./api_access.ts";

export interface KubeConfigOptions {
  /** Path of a kubeconfig. @default the service account that a cluster mounts into its pods */
  readonly kubeconfig?: string;
  /** URLs to use instead of the configuration's server. */
  readonly servers?: readonly string[];
  /** The name that the server's certificate must carry, instead of the configuration's. */
  readonly serverName?: string;
  /** Takes any certificate of the server. */
  readonly skipVerify?: boolean;
  /** What stands before the service account's paths. @default "" */
  readonly root?: string;
}

/**
 * Credentials of a kubeconfig or of a pod's service account, by Kubernetes' own client. What it does
 * not do is done here: files that change are read again at once, and `tokenFile` counts.
 */
export class KubeConfigAccess implements ApiAccessSource {
  readonly #options: KubeConfigOptions;
  #loaded:
    | { readonly stamp: string; readonly config: KubeConfig; readonly tokenFile?: string }
    | undefined;

  constructor(options: KubeConfigOptions) {
    this.#options = options;
  }

  /** @throws {Error} if a file is missing or makes no sense */
  async current(): Promise<ApiAccess> {
    const { servers, serverName, skipVerify } = this.#options;
    const { config, tokenFile } = await this.#load();
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error("the current context names no cluster");
    const request: RequestOptions = {};
    await config.applyToHTTPSOptions(request);
    const ca = bufferFromFileOrString(cluster.caFile, cluster.caData);
    const name = serverName ?? cluster.tlsServerName;
    const authorization = await authorizationOf(request, tokenFile);
    return {
      servers: servers ?? [cluster.server.replace(/\/+$/, "")],
      skipVerify: skipVerify ?? cluster.skipTLSVerify ?? false,
      ...(ca === null ? {} : { ca: ca.toString() }),
      ...(request.cert === undefined ? {} : { cert: String(request.cert) }),
      ...(request.key === undefined ? {} : { key: String(request.key) }),
      ...(name === undefined ? {} : { serverName: name }),
      ...(authorization === undefined ? {} : { authorization }),
    };
  }

  async #load(): Promise<{ readonly config: KubeConfig; readonly tokenFile?: string }> {
    const { kubeconfig: path, root = "" } = this.#options;
    const stamp = path === undefined ? "" : stampOf(await Deno.stat(path));
    if (this.#loaded?.stamp === stamp) return this.#loaded;
    const config = new KubeConfig();
    if (path === undefined) config.loadFromCluster(root);
    else config.loadFromFile(path);
    const user = config.getCurrentUser();
    const tokenFile = path === undefined
      ? user?.authProvider?.config?.tokenFile
      : tokenFileOf(await Deno.readTextFile(path), user?.name);
    const absolute = typeof tokenFile === "string" && tokenFile !== ""
      ? { tokenFile: resolve(path, tokenFile) }
      : {};
    this.#loaded = { stamp, config, ...absolute };
    return this.#loaded;
  }
}

function stampOf({ mtime, ino, size }: Deno.FileInfo): string {
  return `${mtime?.getTime()} ${ino} ${size}`;
}

/** Paths in a kubeconfig are relative to it. */
function resolve(kubeconfig: string | undefined, file: string): string {
  if (kubeconfig === undefined || file.startsWith("/")) return file;
  return `${kubeconfig.slice(0, kubeconfig.lastIndexOf("/") + 1)}${file}`;
}

async function authorizationOf(
  request: RequestOptions,
  tokenFile: string | undefined,
): Promise<string | undefined> {
  if (tokenFile !== undefined) return `Bearer ${(await Deno.readTextFile(tokenFile)).trim()}`;
  if (typeof request.auth === "string") {
    return `Basic ${new TextEncoder().encode(request.auth).toBase64()}`;
  }
  const headers: unknown = request.headers;
  if (typeof headers !== "object" || headers === null || !("Authorization" in headers)) {
    return undefined;
  }
  return String(headers.Authorization);
}

/** The file that holds a user's token, which Kubernetes' client for JavaScript passes over. */
function tokenFileOf(kubeconfig: string, user: string | undefined): unknown {
  const { users } = parse(kubeconfig) as { users?: unknown };
  if (!Array.isArray(users)) return undefined;
  const entries = users as readonly ({ name?: unknown; user?: { tokenFile?: unknown } } | null)[];
  return entries.find((each) => each?.name === user)?.user?.tokenFile;
}
