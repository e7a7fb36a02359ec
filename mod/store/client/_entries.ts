import type { IEvent, IKeyValue } from "etcd3";
import type { KeyValue } from "../key_value.ts";
import type { Change } from "../watch.ts";
import { keyText } from "./_keys.ts";

export function toKeyValue(kv: IKeyValue): KeyValue {
  return {
    key: keyText(kv.key),
    value: kv.value,
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: BigInt(kv.lease),
  };
}

export function toChange(event: IEvent): Change {
  const previous = event.prev_kv === null || event.prev_kv === undefined
    ? {}
    : { previous: toKeyValue(event.prev_kv) };
  if (event.type === "Delete") {
    return {
      type: "delete",
      key: keyText(event.kv.key),
      revision: Number(event.kv.mod_revision),
      ...previous,
    };
  }
  return { type: "put", entry: toKeyValue(event.kv), ...previous };
}
