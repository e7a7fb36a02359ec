import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { kindPrefix } from "@contiv/model";
import { FakeStore } from "../fake_store.ts";
import { Ksr } from "../ksr.ts";
import { ManifestSource } from "./manifest_source.ts";

const pod = (name: string, node: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {nodeName: ${node}}}\n`;

Deno.test("a directory's changes reach the store; a bad document is told and leaves its last state", async (t) => {
  const directory = await Deno.makeTempDir();
  const store = new FakeStore();
  const stop = new AbortController();
  const ksr = new Ksr({
    store,
    source: new ManifestSource({ directory, pollMs: 50, settleMs: 5 }),
    candidate: "a",
    clock: () => performance.now(),
    log: Logger.silent(),
  });
  const write = (name: string, text: string): Promise<void> =>
    Deno.writeTextFile(`${directory}/${name}`, text);
  const pods = (): string =>
    [...store.texts(kindPrefix("pods"))].map(([key, text]) =>
      `${key.split("/").at(-1)}@${JSON.parse(text).node}`
    ).join();
  const problems = (): string[] =>
    ksr.status.kinds.flatMap((each) => each.problems).map(({ subject, message }) =>
      `${subject.split("/").at(-1)}: ${message}`
    );
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (!condition()) {
      assert(performance.now() < deadline, `in vain: ${pods()} ${problems()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await write("one.yaml", `${pod("a", "n1")}---\n${pod("b", "n1")}`);
  const running = ksr.run(stop.signal);
  try {
    await t.step("what is there at the start", () => until(() => pods() === "a@n1,b@n1"));
    await t.step("a document that breaks while its neighbour changes", async () => {
      await write("one.yaml", `${pod("a", "n2")}---\n{apiVersion: v1, kind: [\n`);
      await until(() => pods() === "a@n2,b@n1");
      const [problem = ""] = problems();
      assert(/^one.yaml: line [34]: /.test(problem), problem);
    });
    await t.step("the document mended", async () => {
      await write("one.yaml", `${pod("a", "n2")}---\n${pod("b", "n2")}`);
      await until(() => pods() === "a@n2,b@n2" && problems().length === 0);
    });
    await t.step("a second file, which may not speak of what the first has", async () => {
      await write("two.json", `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c"}}`);
      await write("three.yml", pod("a", "elsewhere"));
      await write(".hidden.yaml", pod("h", "n1"));
      await write("notes.txt", "nothing");
      await until(() => pods() === "a@n2,b@n2,c@undefined");
      await until(() => problems().some((each) => each.includes("pods/default/a is in")));
    });
    await t.step("files and documents removed", async () => {
      await Deno.remove(`${directory}/two.json`);
      await Deno.remove(`${directory}/three.yml`);
      await write("one.yaml", pod("a", "n2"));
      await until(() => pods() === "a@n2" && problems().length === 0);
    });
    await t.step("an object that is wrong in itself is told by its id", async () => {
      await write("bad.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: a b}}");
      await until(() => problems().some((each) => each.startsWith("a b: metadata.name")));
      assertEquals(pods(), "a@n2");
    });
    await t.step("a directory that goes takes nothing with it", async () => {
      await Deno.rename(directory, `${directory}.away`);
      await until(() => ksr.status.kinds.every(({ sourceError }) => sourceError !== undefined));
      assertEquals(pods(), "a@n2");
      await Deno.rename(`${directory}.away`, directory);
      await write("one.yaml", pod("z", "n2"));
      await until(() => pods() === "z@n2");
    });
  } finally {
    stop.abort();
    await running;
    await Deno.remove(directory, { recursive: true });
  }
});
