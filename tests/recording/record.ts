/**
 * Holds the session with the VPP that CONTIV_VPP names and compares it with the committed
 * recording; `--write` replaces that.
 */
import { assertEquals } from "@contiv/assert";
import { pluginsOf } from "../../deploy/sandbox/vpp_data_plane.ts";
import { Target } from "../conformance/target.ts";
import { comparable, record, type Recording } from "./recording.ts";

const FILE = new URL("./vpp-26.06.json", import.meta.url);

const binary = Deno.env.get("CONTIV_VPP");
if (binary === undefined) {
  console.error("Cannot record: CONTIV_VPP is not set, the path of a vpp binary wanted");
  Deno.exit(2);
}
await using target = await Target.start({ kind: "vpp", binary, plugins: pluginsOf(binary) });
const now = await record(target.apiSocket);
if (Deno.args.includes("--write")) {
  Deno.writeTextFileSync(FILE, JSON.stringify(now, null, 1) + "\n");
  console.log(`${now.messages.length} messages of ${now.program} ${now.version} written`);
} else {
  const before = JSON.parse(Deno.readTextFileSync(FILE)) as Recording;
  assertEquals(comparable(now), comparable(before));
  console.log(`${now.messages.length} messages of ${now.version}: as recorded`);
}
