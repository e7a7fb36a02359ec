import {
  ByteWriter,
  Codec,
  FrameReader,
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

/** The messages decoded and made comparable: without message numbers and what is volatile. */
export function comparable({ messages }: Recording): readonly unknown[] {
  const codec = new Codec(Schema.builtin());
  return messages.map(({ from, name, hex }) => {
    const bytes = Uint8Array.fromHex(hex);
    const { context } = codec.header(name, bytes);
    return { from, name, context, body: plain(codec.decode(name as "control_ping", bytes)) };
  });
}
