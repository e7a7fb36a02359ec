/** Seeds of a target that are committed: `hex` for octets, `text` for what people can read. */
interface CorpusFile {
  readonly encoding: "hex" | "text";
  readonly seeds: readonly string[];
}

/** The committed seeds of this name. */
export function readCorpus(name: string): readonly Uint8Array[] {
  const file = new URL(`./corpus/${name}.json`, import.meta.url);
  const { encoding, seeds } = JSON.parse(Deno.readTextFileSync(file)) as CorpusFile;
  const encoder = new TextEncoder();
  return seeds.map((seed) => encoding === "hex" ? Uint8Array.fromHex(seed) : encoder.encode(seed));
}
