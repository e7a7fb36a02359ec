import type { Manifest } from "@contiv/kubernetes";
import { AppliedState } from "./applied_state.ts";
import type { Cluster } from "./cluster.ts";
import { inParallel } from "./in_parallel.ts";
import { ManifestDirectory } from "./manifest_directory.ts";
import { DEFAULT_NAMESPACE, findPod, type Sandbox } from "./sandbox.ts";
import type { PodRecord } from "./state.ts";
import {
  applyObjects,
  type Change,
  deleteObjects,
  type Given,
  nodeLabels,
  nodeOf,
  type Objects,
  type Outcome,
  podsOf,
  reconcile,
  reflectedFiles,
  type ReflectedNode,
  scaleObject,
} from "./workloads/mod.ts";

/** How many pods are wired at a time. */
const PARALLEL = 4;

/** What is not as it was asked for, a line each. */
export interface Settled {
  /** Pods that wait for a node. */
  readonly pending: readonly string[];
  readonly errors: readonly string[];
}

/**
 * The objects of a cluster: takes changes, has controllers make pods of them, and makes it so. All
 * of it is done from what is written down and what is there, so that what was interrupted is done
 * the next time.
 */
export class ClusterWorkloads {
  readonly #cluster: Cluster;
  readonly #state: AppliedState;
  readonly #manifests: ManifestDirectory;
  readonly #signal: AbortSignal;
  #objects: Objects;

  /** @param signal ends the work between two pods */
  constructor(cluster: Cluster, directory: string, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#signal = signal;
    this.#state = new AppliedState(directory);
    this.#manifests = new ManifestDirectory(cluster.manifests);
    this.#objects = this.#state.load()?.objects ?? [];
  }

  get objects(): Objects {
    return this.#objects;
  }

  /** @throws {InputError} before anything is changed */
  apply(given: readonly Given[]): readonly Outcome[] {
    return this.#take(applyObjects(this.#objects, given, this.#nodes.map(({ name }) => name)));
  }

  /** @throws {InputError} before anything is changed */
  delete(given: readonly Given[]): readonly Outcome[] {
    return this.#take(deleteObjects(this.#objects, given));
  }

  /** @throws {Error} if there is no such workload */
  scale(wanted: Parameters<typeof scaleObject>[1]): readonly Outcome[] {
    return this.#take(scaleObject(this.#objects, wanted));
  }

  /**
   * Adds a pod of a name, without a manifest.
   * @param node its node; the scheduler chooses without one
   * @throws {Error} if it exists, or cannot be wired
   */
  async addPod(name: string, node?: string, namespace = DEFAULT_NAMESPACE): Promise<PodRecord> {
    if (this.#find(name, namespace) !== undefined) {
      throw new Error(`Cannot add pod ${name}: it exists`);
    }
    const spec = { containers: [], ...node !== undefined && { nodeName: node } };
    const metadata = { name, namespace };
    const manifest = { apiVersion: "v1", kind: "Pod", metadata, spec };
    this.apply([{ type: "pods", where: "add", manifest }]);
    const { errors, pending } = await this.settle();
    const made = this.#find(name, namespace);
    const record = made && this.#recordOf(made);
    if (record !== undefined && isWired(record)) return record;
    this.delete([{ type: "pods", where: "add", manifest }]);
    await this.settle();
    throw new Error(`Cannot add pod ${name}: ${[...errors, ...pending].join("; ")}`);
  }

  /** @throws {Error} if there is no such pod, or its wiring cannot be undone */
  async removePod(name: string, namespace = DEFAULT_NAMESPACE): Promise<void> {
    const manifest = this.#find(name, namespace);
    if (manifest === undefined) {
      const names = podsOf(this.#objects).map(({ metadata }) => metadata.name).join(", ");
      throw new Error(`Cannot find pod ${JSON.stringify(name)}: there are ${names || "none"}`);
    }
    this.delete([{ type: "pods", where: "remove", manifest }]);
    const { errors } = await this.settle();
    if (errors.length > 0) throw new Error(`Cannot remove pod ${name}: ${errors.join("; ")}`);
  }

  /** Makes everything as it was asked for, as far as nodes are up. */
  async settle(): Promise<Settled> {
    const labels = nodeLabels(this.#objects);
    const nodes = this.#nodes.map(({ name, up }) => ({ name, labels: labels.get(name) ?? {}, up }));
    const chance = { random: Math.random, uid: () => crypto.randomUUID() };
    this.#save(reconcile(this.#objects, nodes, chance));
    // Who asks a pod's name is told of its end before it comes.
    this.#reflect();
    const up = this.#cluster.nodes.filter(isUp);
    const errors: string[] = [];
    const attempt =
      (what: string, work: () => Promise<unknown>): () => Promise<void> => async () => {
        if (this.#signal.aborted) return;
        try {
          await work();
        } catch (error) {
          errors.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        }
      };
    const doomed = this.#cluster.nodes.flatMap((node) =>
      node.record.node.pods.filter((pod) => !this.#isWanted(node, pod)).map((pod) => ({
        node,
        pod,
      }))
    );
    for (const { node, pod } of doomed) if (!up.includes(node)) node.loseNamespace(pod);
    const removals = doomed.filter(({ node }) => up.includes(node)).map(({ node, pod }) =>
      attempt(`pod/${pod.name}`, () => node.removePod(pod.name, pod.namespace))
    );
    await inParallel(removals, PARALLEL);
    const additions = podsOf(this.#objects).flatMap((pod) => {
      const node = up.find(({ record }) => record.node.name === nodeOf(pod));
      if (node === undefined || isWired(this.#recordOf(pod))) return [];
      return [attempt(`pod/${pod.metadata.name}`, () => this.#wire(node, pod))];
    });
    await inParallel(additions, PARALLEL);
    this.#reflect();
    this.#signal.throwIfAborted();
    const pending = podsOf(this.#objects).filter((pod) => !isWired(this.#recordOf(pod)))
      .map((pod) => `pod/${pod.metadata.name} is pending: ${this.#whyPending(pod)}`);
    return { errors, pending: errors.length > 0 ? [] : pending };
  }

  /** The record of a pod's wiring; none before its node has begun. */
  wiringOf(pod: Manifest): PodRecord | undefined {
    return this.#recordOf(pod);
  }

  async #wire(node: Sandbox, { metadata }: Manifest): Promise<void> {
    const { name, namespace = DEFAULT_NAMESPACE, uid } = metadata;
    // What an interrupted attempt has left.
    if (findPod(node.record.node.pods, name, namespace)) await node.removePod(name, namespace);
    await node.addPod(name, { namespace, uid: String(uid) });
  }

  #whyPending(pod: Manifest): string {
    const node = nodeOf(pod);
    return node === undefined ? "no node that is up fits it" : `${node} is down`;
  }

  #take({ objects, outcomes }: Change): readonly Outcome[] {
    this.#save(objects);
    return outcomes;
  }

  #save(objects: Objects): void {
    this.#objects = objects;
    this.#state.save({ version: 1, objects });
  }

  #reflect(): void {
    this.#manifests.write(
      reflectedFiles(
        this.#objects,
        this.#nodes,
        (pod) => this.#recordOf(pod)?.addresses ?? [],
      ),
    );
  }

  get #nodes(): readonly ReflectedNode[] {
    return this.#cluster.nodes.map((node) => {
      const { name } = node.record.node;
      const number = Number(name.slice("node".length));
      return { name, address: this.#cluster.fabric.internalAddress(number), up: isUp(node) };
    });
  }

  #find(name: string, namespace: string): Manifest | undefined {
    return podsOf(this.#objects).find(({ metadata }) =>
      metadata.name === name && metadata.namespace === namespace
    );
  }

  #recordOf({ metadata, ...pod }: Manifest): PodRecord | undefined {
    const node = this.#cluster.nodes.find(({ record }) =>
      record.node.name === nodeOf({ metadata, ...pod })
    );
    return node?.record.node.pods.find(({ uid }) => uid !== undefined && uid === metadata["uid"]);
  }

  #isWanted(node: Sandbox, { uid }: PodRecord): boolean {
    return podsOf(this.#objects).some((pod) =>
      pod.metadata["uid"] === uid && nodeOf(pod) === node.record.node.name
    );
  }
}

/** Whether a node's processes run. */
export function isUp(node: Sandbox): boolean {
  return node.processes().every(({ running }) => running);
}

function isWired(record: PodRecord | undefined): boolean {
  return record !== undefined && record.addresses.length > 0;
}
