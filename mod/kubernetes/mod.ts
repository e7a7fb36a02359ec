/**
 * Kubernetes' API objects: manifests' documents, and their way into the model. The only room that
 * knows their fields. Pure.
 *
 * @module
 */
export * from "./convert/mod.ts";
export * from "./document.ts";
export * from "./manifest.ts";
export * from "./read_documents.ts";
