import {
  type Condition,
  type KeyRange,
  type KeyValue,
  type Lease,
  type Page,
  type Store,
  StoreError,
  type Transaction,
  type TransactionResult,
} from "@contiv/store";

type Faked = Pick<Store, "get" | "lease" | "range" | "transact">;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A store in memory that keeps its history, has leases, and goes away when told to. */
export class FakeStore implements Faked {
  readonly entries = new Map<string, KeyValue>();
  /** Keys of each transaction that wrote, in order. */
  readonly history: (readonly string[])[] = [];
  /** Listings that were asked for. */
  listings = 0;
  /** While set, every call fails. */
  away = false;
  /** While set, transactions are carried out and their replies are lost. */
  deaf = false;
  #revision = 1;
  #leases = 0n;

  text(key: string): string | undefined {
    const entry = this.entries.get(key);
    return entry && decoder.decode(entry.value);
  }

  put(key: string, text: string): void {
    this.#put(key, encoder.encode(text), 0n);
  }

  /** Loses all data. */
  wipe(): void {
    this.entries.clear();
  }

  /** The lease ends without its holder's doing. */
  expire(lease: bigint): void {
    for (const [key, entry] of this.entries) if (entry.lease === lease) this.entries.delete(key);
  }

  // deno-lint-ignore require-await
  async get(key: string): Promise<KeyValue | undefined> {
    this.#require();
    return this.entries.get(key);
  }

  async *range(range: KeyRange): AsyncGenerator<Page, void, void> {
    await Promise.resolve();
    this.#require();
    this.listings++;
    yield { revision: this.#revision, entries: this.#within(range) };
  }

  // deno-lint-ignore require-await
  async transact(transaction: Transaction): Promise<TransactionResult> {
    this.#require();
    if (transaction.then.length > 128) throw new StoreError("TOO_LARGE", "too many operations");
    const succeeded = (transaction.if ?? []).every((condition) => this.#holds(condition));
    if (succeeded) this.#carryOut(transaction);
    if (this.deaf) throw new StoreError("DEADLINE", "no reply", { uncertain: true });
    return { succeeded, revision: this.#revision, results: [] };
  }

  // deno-lint-ignore require-await
  async lease(ttlSeconds: number): Promise<Lease> {
    this.#require();
    const id = ++this.#leases;
    const lost = new AbortController();
    const revoke = (): Promise<void> => {
      this.expire(id);
      return Promise.resolve();
    };
    return { id, ttlSeconds, lost: lost.signal, revoke, [Symbol.asyncDispose]: revoke };
  }

  #carryOut({ then }: Transaction): void {
    const keys: string[] = [];
    for (const operation of then) {
      if (operation.type === "put") {
        this.#put(operation.key, operation.value, operation.lease ?? 0n);
        keys.push(operation.key);
      } else if (operation.type === "delete") {
        for (const { key } of this.#within(operation.range)) {
          this.entries.delete(key);
          keys.push(key);
        }
      }
    }
    this.history.push(keys);
  }

  #put(key: string, value: Uint8Array, lease: bigint): void {
    const modRevision = ++this.#revision;
    const before = this.entries.get(key);
    const createRevision = before?.createRevision ?? modRevision;
    const version = (before?.version ?? 0) + 1;
    this.entries.set(key, { key, value, createRevision, modRevision, version, lease });
  }

  #holds(condition: Condition): boolean {
    const text = this.text(condition.key);
    if ("value" in condition) return text === decoder.decode(condition.value);
    if ("createRevision" in condition) {
      return (this.entries.get(condition.key)?.createRevision ?? 0) === condition.createRevision;
    }
    throw new TypeError("a condition that this fake does not know");
  }

  #within(range: KeyRange): KeyValue[] {
    const prefix = "prefix" in range ? range.prefix : "key" in range ? range.key : range.from;
    return [...this.entries.values()].filter(({ key }) =>
      "key" in range ? key === range.key : key.startsWith(prefix)
    );
  }

  #require(): void {
    if (this.away) throw new StoreError("UNAVAILABLE", "the store is away");
  }
}
