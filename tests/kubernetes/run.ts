/**
 * Runs the tests on a real kube-apiserver: that of CONTIV_KUBE_APISERVER, or one that is built first.
 * Arguments go to `deno test`.
 */
import { installPackages } from "../support/packages.ts";
import { buildApiserver } from "./build_apiserver.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const binary = Deno.env.get("CONTIV_KUBE_APISERVER") ??
  await buildApiserver((message) => console.error(message));
await installPackages();
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "--allow-all", "--no-check", "tests/kubernetes/", ...Deno.args],
  cwd: ROOT,
  env: { CONTIV_KUBE_APISERVER: binary },
}).spawn().status;
Deno.exit(code);
