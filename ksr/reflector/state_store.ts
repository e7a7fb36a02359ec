import type { Store } from "@contiv/store";

/** What a reflector needs of a store. */
export type StateStore = Pick<Store, "get" | "range" | "transact">;
