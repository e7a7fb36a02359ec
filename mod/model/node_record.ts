import { IpAddress, IpPrefix } from "@contiv/net";
import { ModelError } from "./model_error.ts";

/** What a node says about itself to the others: its ID and where it is reached. */
export interface NodeRecord {
  readonly name: string;
  readonly id: number;
  /** Its pods' prefixes. */
  readonly pods: readonly IpPrefix[];
  /** Its uplink's addresses, where tunnels to it end; empty until it has one. */
  readonly uplink: readonly IpAddress[];
}

const ENCODER = new TextEncoder();

export function encodeNodeRecord({ id, pods, uplink }: NodeRecord): Uint8Array {
  const text = JSON.stringify({ id, pods: pods.map(String), uplink: uplink.map(String) });
  return ENCODER.encode(text);
}

/**
 * @param name of the node, from the key
 * @throws {ModelError} if it is none
 */
export function decodeNodeRecord(name: string, value: Uint8Array): NodeRecord {
  const text = new TextDecoder().decode(value);
  try {
    const { id, pods, uplink } = JSON.parse(text) as Record<string, unknown>;
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1) {
      throw new RangeError(`its ID is ${id}, a whole number from 1 wanted`);
    }
    return {
      name,
      id,
      pods: list(pods).map((text) => IpPrefix.parse(text)),
      uplink: list(uplink).map((text) => IpAddress.parse(text)),
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`nodes/${name}`, text, `a node's record (${reason})`, { cause });
  }
}

function list(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  throw new RangeError(`${JSON.stringify(value)} is no list`);
}
