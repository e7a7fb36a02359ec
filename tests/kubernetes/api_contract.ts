import { assert, assertEquals } from "@contiv/assert";
import { COLLECTION_PATHS } from "../../ksr/kubernetes/kubernetes_source.ts";
import type { ApiObject } from "./kube_apiserver.ts";

/** A server of the Kubernetes API, real or not, with namespace `default` and no policy. */
export interface ApiUnderTest {
  /** A request with credentials that may list and watch. */
  get(path: string, signal?: AbortSignal): Promise<Response>;
  /** The same with a token that nobody was given. */
  getAsStranger(path: string): Promise<Response>;
  /** Creates or changes a network policy: of all kinds, the one that servers add least to. */
  put(policy: ApiObject): Promise<void>;
  delete(id: string): Promise<void>;
  /** Forgets what was before now. Watches end by it. */
  forget(): Promise<void>;
}

interface List {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly ApiObject[];
}

interface Event {
  readonly type: string;
  readonly object: ApiObject & { readonly code?: number; readonly reason?: string };
}

const POLICIES = COLLECTION_PATHS.networkpolicies;

function policy(name: string, app = "a"): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "default", name, labels: { app } },
    spec: { podSelector: {} },
  };
}

const namesOf = (objects: readonly ApiObject[]): string =>
  objects.map(({ metadata }) => metadata.name).join();

const versionOf = ({ metadata }: { readonly metadata: object }): string =>
  String((metadata as { readonly resourceVersion?: unknown }).resourceVersion);

async function list(api: ApiUnderTest, query = ""): Promise<List> {
  const response = await api.get(`${POLICIES}?${query}`);
  assertEquals(response.status, 200);
  return await response.json() as List;
}

/** Reads a watch's lines until there are enough, or to its end. */
async function watch(
  api: ApiUnderTest,
  query: string,
  { count = Infinity, opened = () => {} }: { count?: number; opened?: () => unknown } = {},
): Promise<Event[]> {
  const response = await api.get(`${POLICIES}?watch=1&${query}`, AbortSignal.timeout(60_000));
  assertEquals(response.status, 200);
  const events: Event[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  const reading = (async () => {
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.map((line) => JSON.parse(line) as Event));
      if (events.length >= count) return;
    }
    assertEquals(rest, "", "the last line is whole");
  })();
  await opened();
  await reading;
  return events;
}

const isBookmark = ({ type }: Event): boolean => type === "BOOKMARK";

/**
 * What we lean on of the Kubernetes API, each as a test by itself. In their order: the last ones
 * make the server forget. Each leaves no policy behind.
 */
export const API_CONTRACT: Readonly<Record<string, (api: ApiUnderTest) => Promise<void>>> = {
  "an empty listing has a version and no item": async (api) => {
    const { metadata, items } = await list(api, "limit=2");
    assert(/^\d+$/.test(metadata.resourceVersion), metadata.resourceVersion);
    assertEquals([items, metadata.continue], [[], undefined]);
  },

  "pages are of one moment, in order, and tell how many are to come": async (api) => {
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await api.put(policy(name));
    const first = await list(api, "limit=2");
    await api.put(policy("bb"));
    await api.put(policy("d", "changed"));
    await api.delete("default/e");
    const token = (page: List): string => encodeURIComponent(page.metadata.continue ?? "");
    const second = await list(api, `limit=2&continue=${token(first)}`);
    const third = await list(api, `limit=2&continue=${token(second)}`);
    const pages = [first, second, third];
    assertEquals(pages.map(({ items }) => namesOf(items)), ["a,b", "c,d", "e"]);
    assertEquals(pages.map(({ metadata }) => metadata.remainingItemCount), [3, 1, undefined]);
    assertEquals(new Set(pages.map(versionOf)).size, 1);
    assertEquals(second.items[1]?.metadata["labels"], { app: "a" });
    assertEquals(third.metadata.continue, undefined);
    assertEquals(namesOf((await list(api)).items), "a,b,bb,c,d");
    for (const name of ["a", "b", "bb", "c", "d"]) await api.delete(`default/${name}`);
  },

  "a watch tells all that came after a listing, in order, and each object's version": async (
    api,
  ) => {
    await api.put(policy("a"));
    const listed = await list(api);
    await api.put(policy("b"));
    const query = `resourceVersion=${versionOf(listed)}&allowWatchBookmarks=true`;
    const events = (await watch(api, query, {
      count: 5,
      opened: async () => {
        await api.put(policy("b", "changed"));
        await api.delete("default/a");
        await api.delete("default/b");
        await api.put(policy("c"));
      },
    })).filter((each) => !isBookmark(each));
    assertEquals(events.slice(0, 5).map(({ type, object }) => `${type} ${namesOf([object])}`), [
      "ADDED b",
      "MODIFIED b",
      "DELETED a",
      "DELETED b",
      "ADDED c",
    ]);
    const versions = events.map(({ object }) => Number(versionOf(object)));
    assertEquals(versions, [...new Set(versions)].sort((x, y) => x - y));
    assert((versions[0] ?? 0) > Number(versionOf(listed)));
    // What goes is told as it was, under the version that deleted it.
    assertEquals(events[3]?.object.metadata["labels"], { app: "changed" });
    const { items } = await list(api);
    assertEquals(items.map(versionOf), [String(versions.at(-1))]);
    await api.delete("default/c");
  },

  "a watch ends when it was asked to, whole, and tells up to where before": async (api) => {
    const listed = await list(api);
    const query = `resourceVersion=${versionOf(listed)}&allowWatchBookmarks=true&timeoutSeconds=4`;
    const events = await watch(api, query, { opened: () => api.put(policy("a")) });
    const bookmark = events.findLast(isBookmark);
    const change = events.find(({ type }) => type === "ADDED");
    assert(bookmark !== undefined && change !== undefined);
    assert(Number(versionOf(bookmark.object)) >= Number(versionOf(change.object)));
    await api.delete("default/a");
  },

  "a stranger is refused, and so is a path that is none": async (api) => {
    for (const query of ["limit=1", "watch=1&resourceVersion=1"]) {
      const response = await api.getAsStranger(`${POLICIES}?${query}`);
      const { kind, code } = await response.json() as { kind: string; code: number };
      assertEquals([response.status, kind, code], [401, "Status", 401]);
    }
    const response = await api.get("/api/v1/nothings");
    await response.body?.cancel();
    assertEquals(response.status, 404);
  },

  "the server tells its version": async (api) => {
    const { major, minor } = await (await api.get("/version")).json() as Record<string, string>;
    assert(/^\d+$/.test(major ?? "") && /^\d+\+?$/.test(minor ?? ""), `${major}.${minor}`);
  },

  "what is forgotten is answered by 410: a page's token at once, a watch in its stream": async (
    api,
  ) => {
    for (const name of ["a", "b", "c"]) await api.put(policy(name));
    const before = await list(api, "limit=1");
    for (const name of ["a", "b", "c"]) await api.delete(`default/${name}`);
    await api.forget();
    const token = encodeURIComponent(before.metadata.continue ?? "");
    const response = await api.get(`${POLICIES}?limit=1&continue=${token}`);
    const { code, reason } = await response.json() as { code: number; reason: string };
    assertEquals([response.status, code, reason], [410, 410, "Expired"]);
    const events = await watch(api, `resourceVersion=${versionOf(before)}`);
    assertEquals(
      events.map(({ type, object }) => [type, object.code, object.reason]),
      [["ERROR", 410, "Expired"]],
    );
    assertEquals((await list(api)).items, []);
  },
};
