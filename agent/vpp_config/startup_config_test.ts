import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { type ConfigNode, parseStartupConfig, StartupConfigError } from "./parse_startup_config.ts";
import { renderStartupConfig } from "./startup_config.ts";

Deno.test("what VPP reads is read: words, nested braces, comments, any line breaks", () => {
  const config = parseStartupConfig(`
# a comment { that opens nothing
unix { nodaemon cli-listen /run/vpp/cli.sock } # another }
plugins {
  plugin default { disable } plugin acl_plugin.so
  { enable }
}
unix{log /var/log/vpp.log}`);
  assertEquals(config.section("unix"), [
    "nodaemon",
    "cli-listen",
    "/run/vpp/cli.sock",
    "log",
    "/var/log/vpp.log",
  ]);
  assertEquals(config.value("unix", "cli-listen"), "/run/vpp/cli.sock");
  assertEquals([config.has("unix", "nodaemon"), config.has("unix", "nosyslog")], [true, false]);
  assertEquals(config.section("plugins"), [
    "plugin",
    "default",
    ["disable"],
    "plugin",
    "acl_plugin.so",
    ["enable"],
  ]);
  assertEquals([config.value("unix", "absent"), config.value("absent", "x")], [
    undefined,
    undefined,
  ]);
  assertEquals(config.value("plugins", "plugin default"), undefined);
});

Deno.test("braces that do not match are refused with their line", () => {
  const cases: [string, number, string][] = [
    ["unix {\n nodaemon\n", 1, "an open brace"],
    ["unix { }\n}\n", 2, "a closing brace"],
    ["\n{ }", 2, "without a name"],
    ["unix { { } }", 1, "without a name"],
    ["unix { }\nnodaemon", 2, "nodaemon without braces"],
  ];
  for (const [text, line, problem] of cases) {
    const error = assertThrows(() => parseStartupConfig(text), StartupConfigError, problem);
    assertEquals(error.line, line);
  }
});

Deno.test("what is rendered is read back, with explanations and without", () => {
  const word = fc.stringMatching(/^[a-z0-9./_-]{1,12}$/);
  const words = fc.array(word, { minLength: 1, maxLength: 4 });
  const entry = fc.record({
    words,
    block: fc.option(words, { nil: undefined }),
    why: fc.string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, " ")),
  });
  const section = fc.record({ name: word, entries: fc.array(entry, { maxLength: 5 }) });
  fc.assert(
    fc.property(fc.array(section, { maxLength: 5 }), fc.boolean(), (sections, explain) => {
      const text = renderStartupConfig(
        sections.map(({ name, entries }) => ({
          name,
          entries: entries.map(({ block, words, why }) => ({
            words: words.join(" ") + (block === undefined ? "" : ` { ${block.join(" ")} }`),
            why,
          })),
        })),
        { explain },
      );
      const wanted: ConfigNode[] = sections.flatMap(({ name, entries }): ConfigNode[] => [
        name,
        entries.flatMap(({ block, words }): ConfigNode[] =>
          block === undefined ? words : [...words, block]
        ),
      ]);
      assertEquals(parseStartupConfig(text).nodes, wanted);
      if (explain) {
        for (const { why } of sections.flatMap(({ entries }) => entries)) {
          assert(text.includes(`# ${why}\n`), why);
        }
      }
    }),
    { seed: 26_06, numRuns: 300 },
  );
});
