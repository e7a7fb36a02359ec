import type { DataPlane, DataPlaneChoice, DataPlaneSite } from "./data_plane.ts";
import { vppStartupConfig } from "./vpp_startup_config.ts";

/** What VPP's binary API leaves in shared memory, after its prefix. */
const SHARED_MEMORY = ["global_vm", "vpe-api"];

/** A VPP of the node's own: own sockets, own shared memory, nothing of the machine's. */
export function vppDataPlane(
  { binary, plugins, transport = "auto" }: DataPlaneChoice & { readonly kind: "vpp" },
  { name, directory, apiSocket }: DataPlaneSite,
): DataPlane {
  const config = `${directory}/startup.conf`;
  const apiPrefix = `contiv-${name}`;
  const removeSharedMemory = (): void => {
    for (const region of SHARED_MEMORY) removeIfThere(`/dev/shm/${apiPrefix}-${region}`);
  };
  return {
    title: binary,
    command: [binary, "-c", config],
    agentConfig: {
      vppApiTransport: transport,
      vppApiPrefix: apiPrefix,
      vppApiFiles: apiFilesOf(binary),
      ...transport !== "socket" && libraryBeside(plugins),
    },
    prepare(): void {
      // One that was killed leaves its sockets and its shared memory, which the next would map.
      for (const socket of ["cli", "stats"]) removeIfThere(`${directory}/${socket}.sock`);
      removeIfThere(apiSocket);
      removeSharedMemory();
      Deno.writeTextFileSync(
        config,
        vppStartupConfig({ directory, apiSocket, apiPrefix, plugins }),
      );
    },
    cleanUp: removeSharedMemory,
  };
}

/** Where the plugins of a VPP are that is installed below one prefix, as its packages do it. */
export function pluginsOf(binary: string): string {
  const prefix = Deno.realPathSync(binary).replace(/\/s?bin\/[^/]*$/, "");
  const machine = Deno.build.arch === "x86_64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const candidates = [`lib/${machine}`, "lib64", "lib"].map((lib) =>
    `${prefix}/${lib}/vpp_plugins`
  );
  const found = candidates.find(isDirectory);
  if (found !== undefined) return found;
  throw new Error(
    `Cannot find the plugins of ${binary}: none of ${candidates.join(", ")} is there, ` +
      "--vpp-plugins wanted",
  );
}

/** Where a VPP that is installed below one prefix describes its API. */
function apiFilesOf(binary: string): string {
  return Deno.realPathSync(binary).replace(/\/s?bin\/[^/]*$/, "/share/vpp/api");
}

/** VPP's client library, if it is installed beside the plugins; else the agent looks for it. */
export function libraryBeside(plugins: string): { readonly vppApiLibrary?: string } {
  const libraries = plugins.replace(/\/[^/]*$/, "");
  const name = [...Deno.readDirSync(libraries)].map(({ name }) => name).toSorted()
    .find((name) => /^libvppapiclient\.so(\.[0-9.]+)?$/.test(name));
  return name === undefined ? {} : { vppApiLibrary: `${libraries}/${name}` };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
