import { type ClusterObject, type Kind, KINDS, objectId } from "@contiv/model";
import type { KindSink, Source, SourceChange } from "./source.ts";

type Sinks = Readonly<Record<Kind, KindSink>>;

/** A source in memory, for any number of followers. */
export class FakeSource {
  readonly #objects = new Map<Kind, Map<string, ClusterObject>>(
    KINDS.map((kind) => [kind, new Map()]),
  );
  readonly #spoilt = new Set<string>();
  readonly #followers = new Set<Sinks>();
  /** Whether listings show half and then wait for {@link release}. */
  hold = false;

  view(): Source {
    return {
      description: "fake",
      run: async (sinks, signal) => {
        this.#followers.add(sinks);
        this.#list(sinks);
        const { promise, resolve } = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => resolve(), { once: true });
        if (!signal.aborted) await promise;
        this.#followers.delete(sinks);
      },
    };
  }

  objects(): { kind: Kind; object: ClusterObject }[] {
    return [...this.#objects].flatMap(([kind, objects]) =>
      [...objects.values()].map((object) => ({ kind, object }))
    );
  }

  put(kind: Kind, object: ClusterObject): void {
    const id = objectId(object);
    this.#objects.get(kind)?.set(id, object);
    this.#spoilt.delete(`${kind}/${id}`);
    this.#tell(kind, { type: "is", id, object });
  }

  delete(kind: Kind, id: string): void {
    this.#objects.get(kind)?.delete(id);
    this.#spoilt.delete(`${kind}/${id}`);
    this.#tell(kind, { type: "gone", id });
  }

  /** Makes an object unreadable. */
  spoil(kind: Kind, id: string): void {
    this.#objects.get(kind)?.delete(id);
    this.#spoilt.add(`${kind}/${id}`);
    this.#tell(kind, { type: "unreadable", id });
  }

  relist(): void {
    for (const sinks of this.#followers) this.#list(sinks);
  }

  release(): void {
    this.hold = false;
    this.relist();
  }

  #list(sinks: Sinks): void {
    for (const kind of KINDS) {
      const sink = sinks[kind];
      sink.listing("start");
      sink.connected();
      const objects = [...this.#objects.get(kind) ?? []];
      const shown = this.hold ? objects.slice(0, objects.length / 2) : objects;
      sink.changes(shown.map(([id, object]) => ({ type: "is", id, object })));
      const spoilt = [...this.#spoilt].filter((each) => each.startsWith(`${kind}/`));
      sink.changes(spoilt.map((each) => ({ type: "unreadable", id: each.slice(kind.length + 1) })));
      if (!this.hold) sink.listed();
    }
  }

  #tell(kind: Kind, change: SourceChange): void {
    for (const sinks of this.#followers) sinks[kind].changes([change]);
  }
}
