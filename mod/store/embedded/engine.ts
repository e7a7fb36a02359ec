import type { Logger } from "@contiv/log";
import { Tables } from "./_tables.ts";
import { DataFile } from "./data_file.ts";
import { type HistoryLimits, Keyspace } from "./keyspace.ts";
import { Leases } from "./leases.ts";
import { Refusal } from "./status_error.ts";
import { WatchHub } from "./watch/watch_hub.ts";
import type {
  CompactionRequest,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  TxnRequest,
  TxnResponse,
} from "./wire/messages.ts";
import { WriteQueue } from "./write_queue.ts";

/** Milliseconds between two looks for leases that have ended, as etcd's. */
const LEASE_CHECK_MS = 500;

/** Leases that are ended at one look. */
const MAX_EXPIRED = 500;

/** Octets of a writing request (etcd's `--max-request-bytes`). */
export const MAX_REQUEST_BYTES = 3 << 19;

export interface EngineOptions {
  /** The file, or `:memory:`. */
  readonly path: string;
  /** Size of the file above which writes are refused. */
  readonly maxBytes: number;
  readonly history: HistoryLimits;
  /** Milliseconds after which watches that ask for it are told that nothing is new. */
  readonly progressMs: number;
  /** A steady clock, in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Told once that the store cannot go on: nobody knows what is on its disk. */
  readonly onFatal: (error: unknown) => void;
}

/** The store itself, without the network: keys, leases and watches on one file. */
export class Engine implements Disposable {
  readonly keyspace: Keyspace;
  readonly leases: Leases;
  readonly hub: WatchHub;
  readonly #file: DataFile;
  readonly #tables: Tables;
  readonly #queue: WriteQueue;
  readonly #logger: Logger;
  readonly #timers: ReturnType<typeof setInterval>[];
  /** Leases whose end waits to be written. */
  readonly #ending = new Set<bigint>();
  #full = false;
  #closed = false;

  private constructor(file: DataFile, options: EngineOptions) {
    this.#file = file;
    this.#logger = options.logger;
    this.#tables = new Tables(file);
    this.leases = new Leases(this.#tables, options.now);
    this.keyspace = new Keyspace(this.#tables, options.history, (id) => this.leases.has(id));
    this.hub = new WatchHub(this.keyspace);
    this.#queue = new WriteQueue({
      keyspace: this.keyspace,
      onCommitted: (changes) => {
        this.#full = false;
        this.hub.publish(changes);
      },
      onUndone: (error) => this.#undone(error),
      onFatal: options.onFatal,
    });
    this.#timers = [
      setInterval(() => this.#endLeases(), LEASE_CHECK_MS),
      setInterval(() => this.hub.tellProgress(), options.progressMs),
    ];
  }

  /** @throws {DataFileError} */
  static open(options: EngineOptions): Engine {
    return new Engine(DataFile.open(options.path, options.maxBytes), options);
  }

  /** Whether the last write found no space. */
  get full(): boolean {
    return this.#full;
  }

  get header(): ResponseHeader {
    return this.keyspace.header;
  }

  /** Octets of the file, and those of them that hold something. */
  size(): { readonly total: number; readonly used: number } {
    return this.#tables.size();
  }

  /** @throws {StatusError} */
  range(request: RangeRequest): Partial<RangeResponse> {
    return this.keyspace.range(request);
  }

  put(request: PutRequest): Promise<Partial<PutResponse>> {
    return this.#queue.submit(() => this.keyspace.put(request));
  }

  deleteRange(request: DeleteRangeRequest): Promise<Partial<DeleteRangeResponse>> {
    return this.#queue.submit(() => this.keyspace.deleteRange(request));
  }

  /** One that cannot write is carried out at once. */
  txn(request: TxnRequest): Partial<TxnResponse> | Promise<Partial<TxnResponse>> {
    if (!writes(request)) return this.keyspace.txn(request);
    return this.#queue.submit(() => this.keyspace.txn(request));
  }

  compact({ revision }: CompactionRequest): Promise<ResponseHeader> {
    return this.#queue.submit(() => {
      this.keyspace.compact(revision);
      return this.keyspace.header;
    });
  }

  /** @param id 0 for a free one */
  async grant(id: bigint, ttl: number): Promise<{ readonly id: bigint; readonly ttl: number }> {
    const chosen = id === 0n ? this.#freeLease() : id;
    return { id: chosen, ttl: await this.#queue.submit(() => this.leases.grant(chosen, ttl)) };
  }

  revoke(id: bigint): Promise<void> {
    return this.#queue.submit(() => this.leases.revoke(id, this.keyspace));
  }

  /** Carries out the writes that wait, and lets the file go. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#queue.stop();
    this.#file[Symbol.dispose]();
  }

  #freeLease(): bigint {
    while (true) {
      const [word = 0n] = crypto.getRandomValues(new BigUint64Array(1));
      const id = BigInt.asUintN(63, word);
      if (id !== 0n && !this.leases.has(id)) return id;
    }
  }

  #endLeases(): void {
    const over = this.leases.expired().filter((id) => !this.#ending.has(id));
    for (const id of over.slice(0, MAX_EXPIRED)) {
      this.#ending.add(id);
      this.revoke(id)
        .catch((error) => this.#logger.warn("lease not ended", { lease: id, error: error.message }))
        .finally(() => this.#ending.delete(id));
    }
  }

  #undone(error: unknown): void {
    this.leases.restore();
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    const first = !this.#full;
    this.#full = "errcode" in Object(error);
    if (!this.#full) this.#logger.error("write failed", { reason });
    else if (first) this.#logger.error("no space: writes are refused", { reason });
  }
}

/** Refuses a writing request that is too large. @throws {StatusError} */
export function checkSize(bytes: number): void {
  if (bytes > MAX_REQUEST_BYTES) throw Refusal.tooLarge();
}

function writes({ success, failure }: TxnRequest): boolean {
  const isWrite = ({ put, deleteRange, txn }: RequestOp): boolean =>
    put !== undefined || deleteRange !== undefined || (txn !== undefined && writes(txn));
  return success.some(isWrite) || failure.some(isWrite);
}
