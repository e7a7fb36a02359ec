import { assertEquals } from "@contiv/assert";
import { SqliteVppMemory } from "./sqlite_vpp_memory.ts";

Deno.test("what was made is known to the next agent, as long as VPP is the same", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/vpp.sqlite`;
  try {
    {
      using memory = SqliteVppMemory.open(path, "boot");
      memory.begin("7");
      memory.set("vpp-cnat/a", "one");
      memory.doubt("vpp-cnat/b");
      memory.set("vpp-snat/x", "two");
      memory.doubt("vpp-cnat/c");
      memory.forget("vpp-cnat/c");
    }
    const kept = [["vpp-cnat/a", "one"], ["vpp-cnat/b", undefined]] as const;
    assertEquals([...SqliteVppMemory.snapshot(path, "boot").entries("vpp-cnat")], [...kept]);
    {
      using memory = SqliteVppMemory.open(path, "boot");
      memory.begin("7");
      assertEquals([...memory.entries("vpp-cnat")], [...kept]);
    }
    {
      using memory = SqliteVppMemory.open(path, "boot");
      memory.begin("8");
      assertEquals([...memory.entries("vpp-cnat")], []);
      memory.set("vpp-cnat/a", "one");
    }
    using memory = SqliteVppMemory.open(path, "another boot");
    memory.begin("8");
    assertEquals([...memory.entries("vpp-cnat")], []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a file that cannot be read is made anew", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/vpp.sqlite`;
  try {
    Deno.writeTextFileSync(path, "no database");
    assertEquals([...SqliteVppMemory.snapshot(path, "boot").entries("vpp-cnat")], []);
    using memory = SqliteVppMemory.open(path, "boot");
    memory.begin("7");
    memory.set("vpp-cnat/a", "one");
    assertEquals([...memory.entries("vpp-cnat")], [["vpp-cnat/a", "one"]]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
