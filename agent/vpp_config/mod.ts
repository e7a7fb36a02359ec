/**
 * `contiv vpp-config`: looks at a machine and writes VPP's startup configuration for it, line by
 * line with the reason, and says what VPP would die of. What looks at the machine reads files below
 * a root directory and changes nothing; sizes, text and checks are pure.
 *
 * @module
 */
export { vppConfigCommand } from "./command.ts";
export { type InspectedPaths, inspectMachine } from "./inspect_machine.ts";
export type * from "./machine.ts";
export { type MachineFiles, RootDirectory } from "./machine_files.ts";
export { type Missing, missingPrerequisites } from "./missing_prerequisites.ts";
export { parseStartupConfig, StartupConfig, StartupConfigError } from "./parse_startup_config.ts";
export { type Sizes, sizesFor } from "./sizes.ts";
export { type ConfigEntry, type ConfigSection, renderStartupConfig } from "./startup_config.ts";
export { startupSections } from "./startup_sections.ts";
export { type VppPaths, type Wish } from "./wish.ts";
