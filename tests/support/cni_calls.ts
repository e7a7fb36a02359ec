import { assertEquals } from "@contiv/assert";
import type { CniCall, CniExit } from "../../deploy/sandbox/cni_plugin.ts";
import type { ScratchNetns } from "./scratch_netns.ts";

/** A call of the plugin for a pod called `web`. */
export function call(command: CniCall["command"], id: string, netns?: ScratchNetns): CniCall {
  return {
    command,
    containerId: id,
    interface: "eth0",
    ...(netns === undefined ? {} : { netns: netns.path }),
    args: { K8S_POD_NAMESPACE: "default", K8S_POD_NAME: "web" },
  };
}

interface Result {
  readonly ips: readonly { readonly address: string; readonly gateway?: string }[];
}

/** The result of a call that must have succeeded. */
export function success(exit: CniExit): Result {
  assertEquals(exit.code, 0, `${exit.stdout}${exit.stderr}`);
  return (exit.stdout === "" ? { ips: [] } : JSON.parse(exit.stdout)) as Result;
}

/** The error of a call that must have failed. */
export function failure(exit: CniExit): { code: number; msg: string; details?: string } {
  assertEquals(exit.code, 1, `${exit.stdout}${exit.stderr}`);
  return JSON.parse(exit.stdout);
}

/** The addresses of a result, with their prefix lengths. */
export function addresses(result: Result): string[] {
  return result.ips.map((ip) => ip.address);
}
