import {
  ByteWriter,
  Codec,
  FrameReader,
  type MessageName,
  Schema,
  SocketTransport,
  type Transport,
  VppClient,
} from "@contiv/vppapi";
import { session } from "./session.ts";

/** One message as it went over the socket, without the 16 octets of its frame's header. */
export interface RecordedMessage {
  readonly from: "client" | "vpp";
  readonly name: string;
  readonly hex: string;
}

/** A whole session, less the handshake, whose table of messages depends on the plugins loaded. */
export interface Recording {
  /** `show_version`'s. */
  readonly program: string;
  readonly version: string;
  readonly messages: readonly RecordedMessage[];
}

/** Keeps a copy of every frame's payload that passes. */
class RecordingTransport implements Transport {
  readonly frames: { from: RecordedMessage["from"]; bytes: Uint8Array }[] = [];
  readonly closed: Promise<Error | undefined>;
  readonly #transport: Transport;
  readonly #sent = new FrameReader();
  readonly #received = new FrameReader();

  constructor(transport: Transport) {
    this.#transport = transport;
    this.closed = transport.closed;
  }

  send(bytes: Uint8Array): Promise<void> {
    this.#keep("client", this.#sent, bytes);
    return this.#transport.send(bytes);
  }

  receive(onBytes: (chunk: Uint8Array) => void): void {
    this.#transport.receive((chunk) => {
      this.#keep("vpp", this.#received, chunk);
      onBytes(chunk);
    });
  }

  close(): void {
    this.#transport.close();
  }

  #keep(from: RecordedMessage["from"], reader: FrameReader, chunk: Uint8Array): void {
    reader.push(chunk, (bytes, start, end) => {
      this.frames.push({ from, bytes: bytes.slice(start, end) });
    });
  }
}

/** Holds the session with the data plane behind a socket and gives its messages. */
export async function record(socket: string): Promise<Recording> {
  const transport = new RecordingTransport(await SocketTransport.connect(socket));
  await using vpp = await VppClient.over(transport, { name: "recorder" });
  const handshake = transport.frames.length;
  await session(vpp);
  const { program, version } = await vpp.request("show_version");
  const schema = Schema.builtin();
  const names = new Map(
    schema.names().map((name) => [vpp.table.idOf(schema.message(name)), name]),
  );
  const messages = transport.frames.slice(handshake).map(({ from, bytes }): RecordedMessage => {
    const id = new DataView(bytes.buffer).getUint16(0);
    const name = names.get(id) ?? `unknown ${id}`;
    return { from, name, hex: (name === "show_version_reply" ? unplaced(bytes) : bytes).toHex() };
  });
  return { program, version, messages };
}

/** `show_version_reply` without the directory it was built in, which is its builder's own affair. */
function unplaced(bytes: Uint8Array): Uint8Array {
  const codec = new Codec(Schema.builtin());
  const name = "show_version_reply";
  const writer = new ByteWriter();
  const fields = { ...codec.decode(name, bytes), build_directory: "" };
  codec.encode(name, codec.header(name, bytes), fields, writer);
  return writer.bytes.slice(0, writer.length);
}

/** What differs between two runs of the same data plane, or between two data planes, by right. */
const VOLATILE = new Set([
  "vpe_pid",
  "client_index",
  "program",
  "version",
  "build_date",
  "build_directory",
  "stats_index",
  "age",
]);

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.toHex();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !VOLATILE.has(key)).map(([k, v]) => [k, plain(v)]),
  );
}

/** A message decoded, without its number and what is volatile. */
export interface ComparableMessage {
  readonly from: RecordedMessage["from"];
  readonly name: string;
  readonly context: number;
  readonly body: unknown;
}

/**
 * The messages decoded and made comparable. The entries of one dump are sorted: VPP gives routes in
 * the order of its hash tables, which means nothing.
 */
export function comparable({ messages }: Recording): readonly ComparableMessage[] {
  const codec = new Codec(Schema.builtin());
  const decoded = messages.map(({ from, name, hex }): ComparableMessage => {
    const bytes = Uint8Array.fromHex(hex);
    const { context } = codec.header(name, bytes);
    return { from, name, context, body: plain(codec.decode(name as MessageName, bytes)) };
  });
  const sorted: ComparableMessage[] = [];
  for (let start = 0; start < decoded.length;) {
    const { name } = decoded[start] ?? { name: "" };
    let end = start + 1;
    while (name.endsWith("_details") && decoded[end]?.name === name) end++;
    sorted.push(...decoded.slice(start, end).sort((a, b) => order(a) < order(b) ? -1 : 1));
    start = end;
  }
  return sorted;
}

function order(message: ComparableMessage): string {
  return JSON.stringify(message.body);
}
