import type { Codec } from "./codec.ts";
import type { FrameHandler } from "./frame.ts";
import type { HelloReply } from "./handshake.ts";
import type { Transport } from "./transport.ts";
import { ByteWriter } from "./byte_writer.ts";
import { VppConnectionError } from "./error.ts";
import { decodeHelloReply, encodeHello } from "./handshake.ts";

/** Who says hello, and how long to wait for the answer. */
export interface HandshakeOptions {
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A handshake under way: hand the first frame to `onFrame`. */
export interface Handshake {
  readonly promise: Promise<HelloReply>;
  readonly onFrame: FrameHandler;
}

/** Says hello over a transport that the caller reads from and, on failure, closes. */
export function performHandshake(
  transport: Transport,
  codec: Codec,
  options: HandshakeOptions,
): Handshake {
  const answer = Promise.withResolvers<HelloReply>();
  const fail = (why: string, cause?: unknown): void =>
    answer.reject(
      new VppConnectionError(
        "connect",
        "handshake",
        `Cannot say hello to VPP as ${JSON.stringify(options.name)}: ${why}`,
        { cause },
      ),
    );
  const timer = setTimeout(
    () => fail(`no answer after ${options.timeoutMs} ms, one wanted`),
    options.timeoutMs,
  );
  const abort = (): void => answer.reject(options.signal?.reason);
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  void transport.closed.then((cause) =>
    fail(`the connection was lost (${cause?.message ?? "closed"}), an answer wanted`, cause)
  );
  const send = async (): Promise<void> => {
    try {
      const writer = new ByteWriter(128);
      encodeHello(codec, { context: 1, name: options.name }, writer);
      await transport.send(writer.view());
    } catch (cause) {
      fail(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
  void send();
  const promise = answer.promise.finally(() => {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  });
  const onFrame: FrameHandler = (bytes, start, end) => {
    try {
      const reply = decodeHelloReply(codec, bytes, start, end);
      if (reply.response === 0) answer.resolve(reply);
      else fail(`VPP answered ${reply.response}, 0 wanted`);
    } catch (cause) {
      fail(cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
  return { promise, onFrame };
}
