/**
 * The Container Network Interface, versions 0.3.1 to 1.1.0: parameters, configuration, results and
 * errors, with their rules. Pure: values in, values out. Used by the plugin and by the agent.
 *
 * @module
 */
export * from "./cni_error.ts";
export * from "./convert_result.ts";
export * from "./environment.ts";
export * from "./merge_result.ts";
export * from "./network_config.ts";
export * from "./parse_result.ts";
export * from "./result.ts";
export * from "./valid_attachments.ts";
export * from "./versions.ts";
