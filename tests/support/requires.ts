import { type DataPlaneChoice, VPP_TRANSPORTS } from "../../deploy/sandbox/data_plane.ts";
import { pluginsOf } from "../../deploy/sandbox/vpp_data_plane.ts";
import { missingPackages } from "./packages.ts";

/** Why a test that makes namespaces cannot run here, or `undefined`. */
function missing(): string | undefined {
  if (Deno.uid() !== 0) return "it needs root";
  const packages = missingPackages();
  return packages.length === 0 ? undefined : `it needs the packages ${packages.join(", ")}`;
}

const reason = missing();

/**
 * A test on real namespaces and processes. Where the machine lacks the rights or packages for it,
 * or something else that it needs is missing, it is counted as skipped and its name says why.
 */
export function systemTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
  missing?: string,
): void {
  const why = reason ?? (missing && `it needs ${missing}`);
  Deno.test({
    name: why === undefined ? name : `${name} (skipped: ${why})`,
    ignore: why !== undefined,
    fn,
  });
}

/** What the names of tests end with that run on one data plane or the other. */
export const EMBEDDED = "on the embedded vswitch";
export const VPP = "on VPP";

/** The data planes that tests run on, and why one of them cannot. */
interface Side {
  /** What the tests' names end with, and their count is told by. */
  readonly title: string;
  readonly choice: DataPlaneChoice | undefined;
  readonly reason?: string;
}

function sides(): readonly Side[] {
  const vpp = vppChoice();
  return [
    { title: EMBEDDED, choice: { kind: "embedded" } },
    vpp === undefined
      ? { title: VPP, choice: undefined, reason: WITHOUT_VPP }
      : { title: VPP, choice: vpp },
  ];
}

/** Why what wants VPP cannot run. */
export const WITHOUT_VPP = "CONTIV_VPP names no vpp binary";

/**
 * The VPP that CONTIV_VPP names, talked to as CONTIV_VPP_TRANSPORT says: a run over shared memory is
 * a run of its own.
 */
export function vppChoice(): DataPlaneChoice & { readonly kind: "vpp" } | undefined {
  const binary = Deno.env.get("CONTIV_VPP");
  if (binary === undefined) return undefined;
  const wanted = Deno.env.get("CONTIV_VPP_TRANSPORT") ?? "auto";
  const transport = VPP_TRANSPORTS.find((way) => way === wanted);
  if (transport === undefined) {
    throw new Error(
      `Cannot test: CONTIV_VPP_TRANSPORT is ${wanted}, one of ${VPP_TRANSPORTS.join(", ")} wanted`,
    );
  }
  return { kind: "vpp", binary, plugins: pluginsOf(binary), transport };
}

/**
 * A {@link systemTest} once on each data plane: always on the embedded one, and on the VPP that
 * CONTIV_VPP names, without which it is counted as skipped.
 *
 * @param missing what else it needs that is not here
 */
export function dataPlaneTest(
  name: string,
  fn: (dataPlane: DataPlaneChoice, t: Deno.TestContext) => Promise<void>,
  missing?: string,
): void {
  for (const { title, choice, reason } of sides()) {
    if (choice !== undefined) {
      systemTest(`${name} ${title}`, (t) => fn(choice, t), missing);
    } else {
      Deno.test({ name: `${name} ${title} (skipped: ${reason})`, ignore: true, fn: () => {} });
    }
  }
}

/** Pods on a node: the number that Kubernetes allows, or what VPP bears without TAPs. */
export function podLimit(dataPlane: DataPlaneChoice): number {
  return dataPlane.kind === "vpp" && !exists("/dev/vhost-net") ? 15 : 110;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
