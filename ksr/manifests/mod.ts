/**
 * A directory of manifests as a source, with what Kubernetes' controllers would derive from them.
 * Reads that directory only.
 *
 * @module
 */
export * from "./manifest_source.ts";
