import { assert, assertEquals, assertStringIncludes, assertThrows } from "@contiv/assert";
import { DatabaseSync } from "node:sqlite";
import { DataFile } from "./data_file.ts";
import { DataFileError } from "./data_file_error.ts";

const MAX_BYTES = 1 << 30;

function inDirectory(run: (path: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-file-" });
  try {
    run(`${directory}/store.db`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function refusal(path: string): DataFileError {
  return assertThrows(() => DataFile.open(path, MAX_BYTES), DataFileError);
}

Deno.test("a file that somebody has open is refused, and the holder is named", () => {
  inDirectory((path) => {
    using _file = DataFile.open(path, MAX_BYTES);
    const { code, message, retryable } = refusal(path);
    assertEquals([code, retryable], ["HELD", true]);
    assertStringIncludes(message, `${path}: this process itself has it open`);
    const main = new URL("./data_file.ts", import.meta.url);
    const { code: exit, stdout } = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { DataFile } from "${main}";
         try { DataFile.open("${path}", 1e9); } catch (e) { console.log(e.code, e.message); }`,
      ],
    }).outputSync();
    assertEquals(exit, 0);
    const said = new TextDecoder().decode(stdout);
    assertStringIncludes(said, "HELD");
    assertStringIncludes(said, `process ${Deno.pid} (`);
  });
});

Deno.test("a file that was let go can be opened, with the same identity", () => {
  inDirectory((path) => {
    const ids = (): unknown => {
      using file = DataFile.open(path, MAX_BYTES);
      return file.database.prepare("SELECT cluster_id, member_id FROM store").get();
    };
    assertEquals(ids(), ids());
  });
});

Deno.test("a file that is not ours is left as it is", async (t) => {
  await t.step("another program's database", () =>
    inDirectory((path) => {
      const other = new DatabaseSync(path);
      other.exec("CREATE TABLE theirs (a)");
      other.close();
      assertEquals(refusal(path).code, "FOREIGN");
      const again = new DatabaseSync(path);
      assertEquals(again.prepare("SELECT count(*) AS n FROM theirs").get()?.["n"], 0);
      again.close();
    }));
  await t.step("no database", () =>
    inDirectory((path) => {
      Deno.writeTextFileSync(path, "a text that is longer than a header ".repeat(50));
      assertEquals(refusal(path).code, "FOREIGN");
    }));
  await t.step("a newer contiv's", () =>
    inDirectory((path) => {
      DataFile.open(path, MAX_BYTES)[Symbol.dispose]();
      const newer = new DatabaseSync(path);
      newer.exec("PRAGMA user_version = 99");
      newer.close();
      const { code, message } = refusal(path);
      assertEquals(code, "NEWER");
      assertStringIncludes(message, "layout 99");
    }));
  await t.step("a directory", () =>
    inDirectory((path) => {
      Deno.mkdirSync(path);
      assertEquals(refusal(path).code, "OPEN");
    }));
});

Deno.test("a damaged file is told from a good one", () => {
  inDirectory((path) => {
    {
      using file = DataFile.open(path, MAX_BYTES);
      for (let i = 0; i < 500; i++) {
        file.database.prepare("INSERT INTO current VALUES (?, ?, 1, 1, 1, NULL)")
          .run(new Uint8Array([i >> 8, i & 255]), new Uint8Array(200));
      }
    }
    const octets = Deno.readFileSync(path);
    assert(octets.length > 20 * 4096, "the file is too small for this test");
    octets.fill(0x5a, 4 * 4096, 12 * 4096);
    Deno.writeFileSync(path, octets);
    const { code, message } = refusal(path);
    assertEquals(code, "CORRUPT");
    assertStringIncludes(message, "it is damaged");
  });
});
