import { ConversionError, convert, type Manifest } from "@contiv/kubernetes";
import { type ClusterObject, type Kind, KINDS, objectId } from "@contiv/model";
import {
  type KindSink,
  type Problem,
  sleep,
  type Source,
  type SourceChange,
} from "../source/mod.ts";
import { derive } from "./derive.ts";
import { ManifestFiles } from "./manifest_files.ts";

export interface ManifestSourceOptions {
  readonly directory: string;
  /** Milliseconds between two looks where nothing tells of changes. @default 2000 */
  readonly pollMs?: number;
  /** Milliseconds that a burst of changes of files is waited for. @default 50 */
  readonly settleMs?: number;
}

type Sinks = Readonly<Record<Kind, KindSink>>;

const MANIFEST = /^[^.].*\.(ya?ml|json)$/;
/** Octets; larger files are refused. */
const MAX_FILE_BYTES = 64 << 20;

/** A directory of manifests: its files that end in .yaml, .yml or .json, without those below it. */
export class ManifestSource implements Source {
  readonly description: string;
  readonly #options: ManifestSourceOptions;
  readonly #files = new ManifestFiles();
  /** What the sinks know: JSON of each object's manifest, by id. */
  readonly #told = new Map<Kind, Map<string, string>>(KINDS.map((kind) => [kind, new Map()]));
  #subjects = new Set<string>();
  #listed = false;

  constructor(options: ManifestSourceOptions) {
    this.#options = options;
    this.description = `manifests in ${options.directory}`;
  }

  async run(sinks: Sinks, signal: AbortSignal): Promise<void> {
    const { pollMs = 2_000, settleMs = 50 } = this.#options;
    while (!signal.aborted) {
      const round = new AbortController();
      const both = AbortSignal.any([signal, round.signal]);
      // Watching starts before reading, so that nothing falls in between.
      const changed = this.#changed(both);
      try {
        this.#look(sinks);
        await Promise.race([changed, sleep(pollMs, both)]);
      } finally {
        round.abort();
        await changed;
      }
      await sleep(settleMs, signal);
    }
  }

  /** Resolves when something in the directory changes; where that cannot be watched, never. */
  async #changed(signal: AbortSignal): Promise<void> {
    let watcher: Deno.FsWatcher;
    try {
      watcher = Deno.watchFs(this.#options.directory, { recursive: false });
    } catch {
      // The next look tells what is wrong with the directory, or finds it.
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (!signal.aborted) await promise;
      return;
    }
    const onAbort = (): void => watcher.close();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    for await (const { kind } of watcher) {
      if (kind === "access") continue;
      signal.removeEventListener("abort", onAbort);
      watcher.close();
      return;
    }
  }

  #look(sinks: Sinks): void {
    try {
      if (!this.#files.update(readFiles(this.#options.directory)) && this.#listed) {
        for (const kind of KINDS) sinks[kind].connected();
        return;
      }
    } catch (error) {
      if (!(error instanceof Error && error.name in Deno.errors)) throw error;
      for (const kind of KINDS) sinks[kind].failed(`Cannot read the manifests: ${error.message}`);
      return;
    }
    const problems = this.#files.problems();
    const cluster = derive(this.#files.manifests(), (each) => problems.push(each));
    this.#report(sinks.namespaces, problems);
    for (const kind of KINDS) this.#tell(kind, sinks[kind], cluster.get(kind) ?? []);
    this.#listed = true;
  }

  /** Problems of files are told with the namespaces, which every manifest is about. */
  #report(sink: KindSink, problems: readonly Problem[]): void {
    for (const subject of this.#subjects) sink.clear(subject);
    for (const problem of problems) sink.problem(problem);
    this.#subjects = new Set(problems.map(({ subject }) => subject));
  }

  #tell(kind: Kind, sink: KindSink, manifests: readonly Manifest[]): void {
    const told = this.#told.get(kind) ?? new Map<string, string>();
    const now = new Set<string>();
    const changes: SourceChange[] = [];
    for (const manifest of manifests) {
      const id = objectId(manifest.metadata);
      const text = JSON.stringify(manifest);
      now.add(id);
      if (told.get(id) === text) continue;
      told.set(id, text);
      changes.push(toChange(kind, id, manifest, sink));
    }
    for (const id of [...told.keys()]) {
      if (now.has(id)) continue;
      told.delete(id);
      sink.clear(`${kind}/${id}`);
      changes.push({ type: "gone", id });
    }
    sink.connected();
    if (!this.#listed) sink.listing("start");
    if (changes.length > 0) sink.changes(changes);
    if (!this.#listed) sink.listed();
  }
}

function toChange(kind: Kind, id: string, manifest: Manifest, sink: KindSink): SourceChange {
  const subject = `${kind}/${id}`;
  sink.clear(subject);
  try {
    const object: ClusterObject | undefined = convert(
      kind,
      manifest,
      (message) => sink.problem({ subject, message }),
    );
    return object === undefined ? { type: "gone", id } : { type: "is", id, object };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    sink.problem({ subject, message: error.message });
    return { type: "unreadable", id };
  }
}

function readFiles(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name } of Deno.readDirSync(directory)) {
    if (!MANIFEST.test(name)) continue;
    const path = `${directory}/${name}`;
    try {
      // Not the entry's own type: mounted ConfigMaps consist of symbolic links.
      const { isFile, size } = Deno.statSync(path);
      if (!isFile) continue;
      if (size > MAX_FILE_BYTES) {
        throw new Deno.errors.InvalidData(`${path} has ${size} octets, ${MAX_FILE_BYTES} at most`);
      }
      files.set(path, Deno.readTextFileSync(path));
    } catch (error) {
      // It went between the listing and the reading.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return files;
}
