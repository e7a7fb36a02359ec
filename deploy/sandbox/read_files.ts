import type { ByteSource } from "@contiv/cli";

/** A file, as it is named to people. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

const MANIFEST = /\.(ya?ml|json)$/;
/** Octets, of a file and of standard input. */
const LIMIT = 16 << 20;

/**
 * Reads files, the manifests of directories (not of those below), and `-`, standard input.
 * @throws {Error} that names what cannot be read, or a directory without manifests
 */
export async function readFiles(
  paths: readonly string[],
  stdin: ByteSource,
): Promise<readonly NamedText[]> {
  const files: NamedText[] = [];
  for (const path of paths) {
    if (path === "-") files.push({ name: "-", text: await readAll(stdin) });
    else files.push(...expand(path).map((name) => ({ name, text: readOne(name) })));
  }
  return files;
}

function expand(path: string): readonly string[] {
  if (!reading(path, () => Deno.statSync(path)).isDirectory) return [path];
  const names = reading(path, () => [...Deno.readDirSync(path)])
    .filter(({ isDirectory, name }) => !isDirectory && MANIFEST.test(name))
    .map(({ name }) => `${path.replace(/\/+$/, "")}/${name}`);
  if (names.length > 0) return names.toSorted();
  throw new Error(`Cannot read ${path}: it has no .yaml, .yml or .json file`);
}

function readOne(path: string): string {
  const { size } = reading(path, () => Deno.statSync(path));
  if (size > LIMIT) throw new Error(`Cannot read ${path}: ${size} octets, ${LIMIT} at most wanted`);
  return reading(path, () => Deno.readTextFileSync(path));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path}: ${reason}`, { cause: error });
  }
}

async function readAll(stdin: ByteSource): Promise<string> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let size = 0;;) {
    const count = await stdin.read(buffer);
    if (count === null) break;
    size += count;
    if (size > LIMIT) throw new Error(`Cannot read standard input: more than ${LIMIT} octets`);
    chunks.push(buffer.slice(0, count));
  }
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
}
