import {
  beginFrame,
  ByteWriter,
  Codec,
  decodeHelloReply,
  endFrame,
  FrameReader,
  MessageTable,
  Schema,
  writeFrame,
} from "@contiv/vppapi";

/** Number of the hello's reply (memclnt.api). */
const HELLO_REPLY = 16;
/** What a refused request is answered with: UNSPECIFIED. */
const REFUSAL = -1;

/** A message on its way. */
export interface ProxyMessage {
  readonly from: "client" | "vpp";
  /** Empty for one that the schema does not have. */
  readonly name: string;
  /** The frame's payload; only valid during the call. */
  readonly payload: Uint8Array;
}

/**
 * What becomes of a client's message: handed on; answered with an error in VPP's place, or, for a
 * dump, which has none, the connection's end; never handed on, since the connection ends; handed
 * on, but the connection ends before its answer.
 */
export type ProxyVerdict = "pass" | "refuse" | "die before" | "die after";

/** Stands between a client and VPP's API socket, sees each message and may play tricks. */
export class VppProxy implements AsyncDisposable {
  /** Decides on each message of a client, and sees VPP's. */
  judge: (message: ProxyMessage) => ProxyVerdict = () => "pass";
  readonly #upstream: string;
  readonly #listener: Deno.UnixListener;
  readonly #connections = new Set<ProxyConnection>();
  readonly #accepting: Promise<void>;

  private constructor(path: string, upstream: string) {
    this.#upstream = upstream;
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#accepting = this.#accept();
  }

  static listen(path: string, upstream: string): VppProxy {
    return new VppProxy(path, upstream);
  }

  /** Ends every connection, as a dying VPP does. */
  disconnect(): void {
    for (const connection of this.#connections) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.disconnect();
    await this.#accepting;
    await Promise.all([...this.#connections].map((connection) => connection.done));
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) await this.#open(client);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #open(client: Deno.UnixConn): Promise<void> {
    let vpp: Deno.UnixConn;
    try {
      vpp = await Deno.connect({ transport: "unix", path: this.#upstream });
    } catch {
      client.close();
      return;
    }
    const connection = new ProxyConnection(client, vpp, (message) => this.judge(message));
    this.#connections.add(connection);
    void connection.done.then(() => this.#connections.delete(connection));
  }
}

/** One client's connection with one of its own to VPP. */
class ProxyConnection {
  readonly done: Promise<unknown>;
  readonly #client: Deno.UnixConn;
  readonly #vpp: Deno.UnixConn;
  readonly #judge: VppProxy["judge"];
  readonly #codec = new Codec(Schema.builtin());
  readonly #names = new Map<number, string>([[15, "sockclnt_create"]]);
  #table: MessageTable | undefined;
  #closed = false;

  constructor(client: Deno.UnixConn, vpp: Deno.UnixConn, judge: VppProxy["judge"]) {
    this.#client = client;
    this.#vpp = vpp;
    this.#judge = judge;
    this.done = Promise.all([this.#pump(client, vpp, "client"), this.#pump(vpp, client, "vpp")]);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.close();
    this.#vpp.close();
  }

  async #pump(
    source: Deno.UnixConn,
    sink: Deno.UnixConn,
    from: ProxyMessage["from"],
  ): Promise<void> {
    const reader = new FrameReader();
    const chunk = new Uint8Array(64 * 1024);
    try {
      while (!this.#closed) {
        const length = await source.read(chunk);
        if (length === null) break;
        const onward = new ByteWriter();
        const back = new ByteWriter();
        let dying = false;
        reader.push(chunk.subarray(0, length), (bytes, start, end) => {
          if (dying) return;
          const payload = bytes.subarray(start, end);
          const verdict = this.#look(payload, from, back);
          dying = verdict !== "pass" && verdict !== "refuse";
          if (verdict === "pass" || verdict === "die after") writeFrame(onward, payload);
        });
        if (onward.length > 0) await writeAll(sink, onward.view());
        if (dying) break;
        if (back.length > 0) await writeAll(source, back.view());
      }
    } catch {
      // Either end is gone, or we are told to close.
    }
    this.close();
  }

  #look(payload: Uint8Array, from: ProxyMessage["from"], back: ByteWriter): ProxyVerdict {
    const id = (payload[0] ?? 0) << 8 | (payload[1] ?? 0);
    if (from === "vpp" && id === HELLO_REPLY) this.#learn(payload);
    const name = this.#names.get(id) ?? "";
    const verdict = this.#judge({ from, name, payload });
    if (from === "vpp" || verdict !== "refuse") return from === "vpp" ? "pass" : verdict;
    return this.#refuse(name, payload, back) ? "refuse" : "die before";
  }

  #learn(payload: Uint8Array): void {
    const { table } = decodeHelloReply(this.#codec, payload, 0, payload.length);
    this.#table = new MessageTable(table);
    const schema = Schema.builtin();
    for (const name of schema.names()) {
      const id = this.#table.idOf(schema.message(name));
      if (id !== undefined) this.#names.set(id, name);
    }
  }

  /** Answers in VPP's place; false if such an answer does not exist. */
  #refuse(name: string, payload: Uint8Array, back: ByteWriter): boolean {
    const schema = Schema.builtin();
    if (name === "" || this.#table === undefined) return false;
    const { reply, role } = schema.message(name);
    const id = reply === undefined ? undefined : this.#table.idOf(schema.message(reply));
    if (reply === undefined || id === undefined || role === "dump") return false;
    const { context } = this.#codec.header(name, payload, 0, payload.length);
    const frame = beginFrame(back);
    const header = { id, clientIndex: 0, context };
    this.#codec.encode(reply as "control_ping_reply", header, { retval: REFUSAL }, back);
    endFrame(back, frame);
    return true;
  }
}

async function writeAll(connection: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
