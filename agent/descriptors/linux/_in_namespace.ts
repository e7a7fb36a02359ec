import { type Link, NetlinkError } from "@contiv/libc";
import { type InNamespace, sameValue } from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
import type { DeviceArrivals } from "./device_arrivals.ts";
import { DeviceError } from "./device_error.ts";
import { type Namespaces, type PodNamespace, tryOpen } from "./namespaces.ts";

/** What one kind of item does on a device in a container's namespace. */
export interface DeviceOperations<V extends InNamespace> {
  readonly kind: string;
  /** Makes or sets right; what is right already is no error. */
  apply(namespace: PodNamespace, link: Link, value: V): void;
  /** Removes; called only if the device is there. */
  remove(namespace: PodNamespace, link: Link, value: V): void;
  /** What there is in place of `wanted`. */
  read(namespace: PodNamespace, link: Link, wanted: V): V | undefined;
}

/** Where things are done, and who makes the devices. */
export interface InNamespaceOptions {
  readonly namespaces: Namespaces;
  readonly arrivals: DeviceArrivals;
}

/** What the kernel says of something that is not there (any more). */
const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENODEV",
  "ESRCH",
  "EADDRNOTAVAIL",
  "ENXIO",
]);

/** Whether the kernel refused because the thing, or its device, does not exist. */
export function isAbsent(error: unknown): boolean {
  return error instanceof NetlinkError && ABSENT.has(error.code);
}

/** The device, if it is the item's own. */
export function findDevice(namespace: PodNamespace, { device }: InNamespace): Link | undefined {
  const link = namespace.link(device.name);
  if (link === undefined || device.mac === undefined) return link;
  return link.mac?.equals(device.mac) ? link : undefined;
}

/**
 * A descriptor of things on a device of a container. Their end is tied to the device's: where it, or
 * the namespace, is gone or is another one's, they are gone, and nothing is touched.
 */
export function inNamespace<V extends InNamespace>(
  { namespaces, arrivals }: InNamespaceOptions,
  operations: DeviceOperations<V>,
): Descriptor<V, undefined> {
  const find = (value: V): readonly [PodNamespace, Link | undefined] => {
    const namespace = namespaces.open(value.netns);
    return [namespace, findDevice(namespace, value)];
  };
  return {
    kind: operations.kind,
    create: async (item: Item<V>) => {
      const { value } = item;
      await requestsLeave();
      let [namespace, link] = find(value);
      if (link === undefined) {
        await arrivals.ended(value.netns, value.device.name);
        [namespace, link] = find(value);
      }
      if (link === undefined) {
        throw new DeviceError("MISSING", value.device.name, value.netns.path);
      }
      operations.apply(namespace, link, value);
      return undefined;
    },
    delete: async ({ value }: Item<V>): Promise<void> => {
      await requestsLeave();
      const namespace = tryOpen(namespaces, value.netns);
      const link = namespace && findDevice(namespace, value);
      if (namespace === undefined || link === undefined) return;
      try {
        operations.remove(namespace, link, value);
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
    },
    // deno-lint-ignore require-await
    retrieve: async (wanted): Promise<Retrieved<V, undefined>[]> =>
      wanted.flatMap(({ key, value }) => {
        const namespace = tryOpen(namespaces, value.netns);
        const link = namespace && findDevice(namespace, value);
        if (namespace === undefined || link === undefined) return [];
        const actual = operations.read(namespace, link, value);
        return actual === undefined ? [] : [{ key, value: actual, meta: undefined }];
      }),
    equal: sameValue,
  };
}

/**
 * Lets other descriptors' requests of this turn go out first: the client writes them in a microtask,
 * and VPP works on them while we are busy with the kernel.
 */
async function requestsLeave(): Promise<void> {
  for (let i = 0; i < 3; i++) await undefined;
}
