import { assert, assertEquals } from "@contiv/assert";
import { generateMessages } from "./generate.ts";
import { checkDocument } from "./schema_document.ts";

Deno.test("messages.ts is what the schema generates", async () => {
  const read = (name: string): Promise<string> => Deno.readTextFile(new URL(name, import.meta.url));
  const schema = checkDocument(JSON.parse(await read("./schema/vpp-26.06.json")));
  const same = await read("./messages.ts") === generateMessages(schema);
  assert(same, "messages.ts is out of date: run `deno task gen:vppapi`");
});

/**
 * Runs `deno check` on statements, one a line, that have a client called `vpp`. The numbers of
 * lines with errors count from 0.
 */
async function typeCheck(
  statements: string,
): Promise<{ ok: boolean; output: string; lines: number[] }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const room = new URL("./mod.ts", import.meta.url).href;
    const source = `import type { VppClient } from ${JSON.stringify(room)};\n` +
      `export async function run(vpp: VppClient): Promise<void> {\n${statements}\n}\n`;
    await Deno.writeTextFile(file, source);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", config, file],
      env: { NO_COLOR: "1" },
    }).output();
    const output = new TextDecoder().decode(stderr);
    const errors = output.matchAll(new RegExp(`at \\S*${file}:(\\d+):`, "g"));
    return { ok: success, output, lines: Array.from(errors, ([, line]) => Number(line) - 3) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a wrong name, field or type does not compile, and the right ones do", async () => {
  const right = [
    `const { sw_if_index } = await vpp.request("tap_create_v3", { host_if_name: "eth0" });`,
    `await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });`,
    `await vpp.request("ip_route_add_del_v2", { route: { paths: [{ weight: 1 }] } });`,
    `for (const link of await vpp.dump("sw_interface_dump")) link.interface_name.trim();`,
    `vpp.on("sw_interface_event", ({ deleted }) => void deleted);`,
  ];
  const wrong: [string, string][] = [
    [`await vpp.request("tap_create_v3", { hostIfName: "eth0" });`, "hostIfName"],
    [`await vpp.request("tap_create_v9", {});`, "tap_create_v9"],
    [`await vpp.request("show_version", { verbose: 1 });`, "verbose"],
    [`await vpp.request("sw_interface_set_flags", { flags: true });`, "boolean"],
    [`await vpp.request("ip_route_add_del_v2", { route: { paths: [{ wait: 1 }] } });`, "wait"],
    [`await vpp.request("ip_route_add_del_v2", { route: { n_paths: 1 } });`, "n_paths"],
    [`(await vpp.request("show_version")).versions;`, "versions"],
    [`await vpp.request("sw_interface_dump");`, "sw_interface_dump"],
    [`vpp.on("sw_interface_details", () => {});`, "sw_interface_details"],
  ];
  const [good, bad] = await Promise.all([
    typeCheck(right.join("\n")),
    typeCheck(wrong.map(([statement]) => statement).join("\n")),
  ]);
  assert(good.ok, good.output);
  assertEquals([...new Set(bad.lines)].sort((a, b) => a - b), wrong.map((_, index) => index));
  for (const [, word] of wrong) assert(bad.output.includes(word), `${word}: ${bad.output}`);
});
