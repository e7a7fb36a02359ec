import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** The benches beside the sources, which print tables of their own. */
export const microGroup: Group = {
  name: "micro",
  help: "the benches beside the sources, by deno bench",
  async run({ signal, progress }: GroupOptions): Promise<Figure[]> {
    for (const file of ["mod", "ffi", "agent", "cni", "deploy"].flatMap(benches)) {
      signal.throwIfAborted();
      progress(file);
      const { code } = await new Deno.Command(Deno.execPath(), {
        args: ["bench", "--quiet", "--allow-all", "--no-check", file],
        cwd: ROOT,
        stdin: "null",
        stdout: "inherit",
        stderr: "inherit",
        signal,
      }).output();
      signal.throwIfAborted();
      if (code !== 0) throw new Error(`Cannot bench ${file}: it ended with ${code}, wanted 0`);
    }
    return [];
  },
};

/** The benches under a folder of the tree. */
function benches(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return benches(path);
    return name.endsWith("_bench.ts") ? [path] : [];
  }).sort();
}
