import { type Kind, KINDS } from "@contiv/model";
import type { KindSink, Source } from "../source/mod.ts";
import { ApiClient } from "./api_client.ts";
import type { ApiAccessSource } from "./api_access.ts";
import { ListWatch, type ListWatchTiming } from "./list_watch.ts";

/** Where the API server serves each kind, over all namespaces. */
export const COLLECTION_PATHS: Readonly<Record<Kind, string>> = {
  namespaces: "/api/v1/namespaces",
  nodes: "/api/v1/nodes",
  pods: "/api/v1/pods",
  services: "/api/v1/services",
  endpointslices: "/apis/discovery.k8s.io/v1/endpointslices",
  networkpolicies: "/apis/networking.k8s.io/v1/networkpolicies",
};

export interface KubernetesSourceOptions {
  readonly access: ApiAccessSource;
  readonly timing?: ListWatchTiming;
  /** Milliseconds of silence that a request bears. @default 30000 */
  readonly silenceMs?: number;
}

/** The Kubernetes API. Each kind is followed by itself. */
export class KubernetesSource implements Source {
  readonly description = "kubernetes";
  readonly #options: KubernetesSourceOptions;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
  }

  async run(sinks: Readonly<Record<Kind, KindSink>>, signal: AbortSignal): Promise<void> {
    const { access, timing = {}, silenceMs } = this.#options;
    const api = new ApiClient({ access, ...(silenceMs === undefined ? {} : { silenceMs }) });
    try {
      await Promise.all(KINDS.map((kind) => {
        const path = COLLECTION_PATHS[kind];
        return new ListWatch({ api, kind, path, sink: sinks[kind], timing }).run(signal);
      }));
    } finally {
      api.close();
    }
  }
}
