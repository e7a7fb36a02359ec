import { ApiClient } from "./api_client.ts";
import { ApiError } from "./api_error.ts";
import type { ApiAccessSource } from "./api_access.ts";
import { KubeConfigAccess, type KubeConfigOptions } from "./kube_config_access.ts";

export interface FindAccessOptions extends KubeConfigOptions {
  readonly env: { get(name: string): string | undefined };
  readonly signal: AbortSignal;
  /** Milliseconds that an address of the environment has to answer. @default 5000 */
  readonly probeMs?: number;
}

/** There is no way to the Kubernetes API that can work. */
export class NoAccessError extends Error {
  override readonly name = "NoAccessError";
}

const HOST = "KUBERNETES_SERVICE_HOST";

/**
 * Chooses the way to the Kubernetes API: a kubeconfig, or a pod's service account at the servers
 * given. The address in the environment leads through a service, which works only once we do: it is
 * used only if it answers.
 * @throws {NoAccessError}
 */
export async function findAccess(options: FindAccessOptions): Promise<ApiAccessSource> {
  const { env, signal, probeMs = 5_000, ...config } = options;
  const access = new KubeConfigAccess(config);
  if (config.kubeconfig !== undefined || config.servers !== undefined) return access;
  const host = env.get(HOST);
  if (!host) {
    throw new NoAccessError(
      `Cannot reach the Kubernetes API: neither --kubeconfig nor --kubernetes-server nor ${HOST} is given, one of them wanted`,
    );
  }
  const api = new ApiClient({ access, silenceMs: probeMs });
  try {
    await api.json("/version", { signal });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "UNREACHABLE" || error.code === "STALLED") {
      throw new NoAccessError(
        `Cannot use ${HOST}=${host}: it does not answer (${error.message}), --kubernetes-server with a real address wanted`,
        { cause: error },
      );
    }
  } finally {
    api.close();
  }
  return access;
}
