import { run } from "../../support/run_command.ts";
import type { BenchScope } from "../bench_scope.ts";
import { PeerProcess } from "./peer_process.ts";

const HERE = new URL("./", import.meta.url).pathname;
/** Of a build or an installation from a registry. */
const LIMIT_MS = 300_000;

/** A client of VPP's API in another language, connected to a VPP. */
export interface VppPeer {
  readonly name: string;
  readonly process: PeerProcess;
}

/**
 * Builds govpp's measuring program and connects it over VPP's API socket.
 * @throws {Error} where there is no Go, or its modules cannot be had
 */
export async function startGovpp(scope: BenchScope, socket: string): Promise<VppPeer> {
  const binary = `${scope.directory}/govpp`;
  await run("go", ["build", "-o", binary, "."], {
    cwd: `${HERE}govpp`,
    env: { GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false" },
    limitMs: LIMIT_MS,
  });
  return { name: "govpp", process: scope.use(await PeerProcess.start([binary, socket], {})) };
}

/**
 * Installs vpp_papi for this run and connects it over VPP's API socket.
 * @param apiDirectory where VPP's `*.api.json` files are
 * @throws {Error} where there is no Python with pip, or the package cannot be had
 */
export async function startPapi(
  scope: BenchScope,
  socket: string,
  apiDirectory: string,
): Promise<VppPeer> {
  const packages = `${scope.directory}/python`;
  const requirements = `${HERE}vpp_papi/requirements.txt`;
  await run(
    "python3",
    ["-m", "pip", "install", "-q", "--target", packages, "-r", requirements],
    { limitMs: LIMIT_MS },
  );
  const command = ["python3", `${HERE}vpp_papi/main.py`, socket, apiDirectory];
  const process = scope.use(await PeerProcess.start(command, { PYTHONPATH: packages }));
  return { name: "vpp_papi", process };
}
