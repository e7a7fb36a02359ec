/**
 * Manifests and chance for tests of the controllers.
 *
 * @module
 */
import type { TypedManifest } from "@contiv/kubernetes";
import type { Chance } from "./controllers.ts";
import type { SandboxNode } from "./objects.ts";
import { type Given, readInput } from "./read_input.ts";

/** What a text of manifests gives. */
export function given(text: string): readonly Given[] {
  return readInput([{ name: "t.yaml", text }], { check: true }).given;
}

export function workload(
  kind: string,
  { name = "web", image = "a", replicas, spec = "{}" }: {
    readonly name?: string;
    readonly image?: string;
    readonly replicas?: number;
    readonly spec?: string;
  } = {},
): string {
  return `
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  ${replicas === undefined ? "" : `replicas: ${replicas}`}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name}, image: ${image} } }
    spec: ${spec}
`;
}

export function nodes(...up: readonly boolean[]): readonly SandboxNode[] {
  return up.map((each, i) => ({ name: `node${i + 1}`, labels: {}, up: each }));
}

/** Names and ids that are the same in each run, and none twice. */
export function chance(): Chance {
  let state = 1;
  let count = 0;
  return {
    random: () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff,
    uid: () => `uid-${++count}`,
  };
}

/** Pods as `NAME@NODE`. */
export function places(objects: readonly TypedManifest[]): string[] {
  return objects.filter(({ type }) => type === "pods").map(({ manifest }) => {
    const { nodeName = "nowhere" } = manifest["spec"] as { nodeName?: string };
    return `${manifest.metadata.name}@${nodeName}`;
  });
}
