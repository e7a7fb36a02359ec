import { systemTest } from "../support/requires.ts";

const BINARY = Deno.env.get("CONTIV_KUBE_APISERVER");

/** A test on the kube-apiserver that CONTIV_KUBE_APISERVER names; without one it is skipped. */
export function kubernetesTest(
  name: string,
  fn: (binary: string, t: Deno.TestContext) => Promise<void>,
): void {
  const missing = BINARY === undefined ? "CONTIV_KUBE_APISERVER to name a binary" : undefined;
  systemTest(name, (t) => fn(BINARY ?? "", t), missing);
}
