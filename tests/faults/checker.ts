import { assertEquals } from "@contiv/assert";
import { type Libc, NetNs, RtNetlink } from "@contiv/libc";
import { type Attachment, AttachmentStore } from "../../agent/attachments/mod.ts";
import { attachmentOfTag } from "../../agent/items/mod.ts";
import { type DataPlane, readDataPlane } from "../support/leftovers.ts";
import { until } from "../support/until.ts";
import type { RunningPod } from "./runtime.ts";
import type { World } from "./world.ts";

/** Pods of which all paths are tried; of a crowd, the others are only compared. */
const TRIED = 6;
const SETTLE_LIMIT_MS = 45_000;

/** What there is where no pod is. */
export interface Empty {
  readonly dataPlane: DataPlane;
  readonly nodeLinks: readonly string[];
}

export async function readEmpty(world: World): Promise<Empty> {
  return { dataPlane: await readDataPlane(world.node), nodeLinks: nodeLinks(world) };
}

/**
 * Fails unless runtime, agent, state on disk, IPAM, data plane and kernel have the same pods with
 * the same addresses, nothing else, nothing unfinished, and unless the pods reach their gateways.
 */
export async function assertAgreement(world: World, wanted: readonly string[]): Promise<void> {
  const { pods } = world.runtime;
  assertEquals(pods.map(({ name }) => name).sort(), [...wanted].sort(), "the runtime's pods");
  const expected = expectedBooks(pods);
  await settles(() => readBooks(world), expected, "agent, state, IPAM, data plane and status");
  for (const pod of pods) {
    assertEquals(readDevices(world.node.libc, pod), expectedDevices(pod), `kernel of ${pod.name}`);
  }
  for (const pod of pods.slice(0, TRIED)) await assertWorks(world, pod);
}

/** Fails unless nothing of any pod is left, in the data plane, the kernel or the processes. */
export async function assertNothingOfPods(world: World, empty: Empty): Promise<void> {
  await settles(() => readBooks(world), expectedBooks([]), "the books without pods");
  await settles(() => readEmpty(world), empty, "what there is without pods");
  await settles(() => Promise.resolve(heldByRoles(world)), { agent: [], vswitch: [] }, "held");
}

/** What all that keep books have of the pods, comparable. */
interface Books {
  readonly attachments: readonly string[];
  readonly recorded: readonly string[];
  readonly allocated: readonly string[];
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
  readonly unfinished: readonly string[];
}

function expectedBooks(pods: readonly RunningPod[]): Books {
  const attachments = pods.map(({ containerId, addresses }) =>
    `${containerId} ready ${addresses.join(" ")}`
  ).sort();
  const allocated = pods.map(({ addresses }) => addresses.join(" ")).sort();
  const hosts = pods.flatMap(({ containerId, addresses }) =>
    addresses.map((address) => `${address} on ${containerId}`)
  ).sort();
  return {
    attachments,
    recorded: attachments,
    allocated,
    routes: hosts,
    neighbours: hosts,
    unfinished: [],
  };
}

async function readBooks(world: World): Promise<Books> {
  const { node } = world;
  const attachments = await node.status<Attachment[]>("/attachments");
  const { allocations } = await node.status<{ allocations: { addresses: string[] }[] }>("/ipam");
  const status = await node.status<{ failed: unknown[]; items: Record<string, number> }>("/status");
  const { interfaces, routes, neighbours } = await readDataPlane(node);
  const containers = new Map(attachments.map(({ id, containerId }) => [id, containerId]));
  const owned = (entry: string): readonly string[] => {
    const [, address, tag = ""] = /^(\S+?)(?:\/\d+)? (?:via|on) (.*)$/.exec(entry) ?? [];
    const id = attachmentOfTag(tag);
    return id === undefined ? [] : [`${address} on ${containers.get(id) ?? `stray ${id}`}`];
  };
  const strays = interfaces.filter((entry) => {
    const id = attachmentOfTag(entry);
    return id !== undefined && !containers.has(id);
  });
  return {
    attachments: attachments.map(line).sort(),
    recorded: recorded(world).map(line).sort(),
    allocated: allocations.map(({ addresses }) => addresses.join(" ")).sort(),
    routes: routes.flatMap(owned).sort(),
    neighbours: neighbours.flatMap(owned).sort(),
    unfinished: [
      ...Object.keys(status.items).filter((state) => state !== "applied"),
      ...status.failed.map((failure) => JSON.stringify(failure)),
      ...strays,
    ],
  };
}

function line({ containerId, state, addresses }: Attachment): string {
  return `${containerId} ${state} ${addresses.join(" ")}`;
}

/** The attachments on disk, as the next agent would find them. */
function recorded({ stateDirectory, bootId }: World): readonly Attachment[] {
  using store = AttachmentStore.copyOf({ path: `${stateDirectory}/state.sqlite`, bootId });
  return store.list();
}

/** What the kernel has in a pod's namespace. */
interface Devices {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly defaults: number;
}

function expectedDevices({ addresses }: RunningPod): Devices {
  return {
    links: ["eth0 up", "lo up"],
    addresses: [...addresses].sort(),
    defaults: addresses.length,
  };
}

function readDevices(libc: Libc, { netns }: RunningPod): Devices {
  using namespace = NetNs.open(libc, netns);
  using netlink = RtNetlink.open(libc, namespace);
  const links = netlink.links();
  const index = links.find(({ name }) => name === "eth0")?.index;
  if (index === undefined) {
    return { links: links.map(({ name }) => name), addresses: [], defaults: 0 };
  }
  const addresses = netlink.addresses({ index }).map(({ address }) => String(address));
  return {
    links: links.map(({ name, up }) => `${name} ${up ? "up" : "down"}`).sort(),
    addresses: addresses.filter((address) => !address.startsWith("fe80:")).sort(),
    defaults:
      netlink.routes({ index }).filter(({ destination }) => destination.length === 0).length,
  };
}

async function assertWorks(world: World, pod: RunningPod): Promise<void> {
  const check = await world.runtime.check(pod);
  assertEquals(check.code, 0, `CHECK of ${pod.name}: ${check.stdout}${check.stderr}`);
  for (const gateway of ["10.1.1.1", "fd10:1::101"]) {
    await until(`${pod.name} reaches ${gateway}`, async () => {
      const command = ["ping", "-c", "1", "-W", "2", gateway];
      return (await world.node.inNetns(pod.netns, command, { check: false })).code === 0;
    });
  }
}

function nodeLinks({ node }: World): readonly string[] {
  using namespace = NetNs.open(node.libc, node.sandbox.record.node.netns);
  using netlink = RtNetlink.open(node.libc, namespace);
  return netlink.links().map(({ name }) => name).sort();
}

/** Descriptors of devices and namespaces of pods that the roles hold. */
function heldByRoles({ node }: World): Readonly<Record<"agent" | "vswitch", readonly string[]>> {
  const held = (role: "agent" | "vswitch"): readonly string[] => {
    const { pid } = node.process(role);
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
      try {
        const target = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
        return /^\/dev\/net\/tun|^net:\[/.test(target) && !isOwn(target, pid) ? [target] : [];
      } catch {
        return []; // Closed meanwhile.
      }
    });
  };
  return { agent: held("agent"), vswitch: held("vswitch") };
}

function isOwn(target: string, pid: number): boolean {
  return target === Deno.readLinkSync(`/proc/${pid}/ns/net`);
}

/** Deletions end in the background and retries come by the clock, so it may take a little. */
async function settles<T>(read: () => Promise<T>, wanted: T, what: string): Promise<void> {
  let now: T | undefined;
  const same = async (): Promise<boolean> => {
    now = await read();
    return JSON.stringify(now) === JSON.stringify(wanted);
  };
  await until(what, same, SETTLE_LIMIT_MS).catch((error: Error) => {
    if (now === undefined) throw error;
  });
  assertEquals<unknown>(now, wanted, `${what} disagree`);
}
