import type { Engine } from "../engine.ts";
import { Refusal } from "../status_error.ts";
import { WatchStream } from "../watch/watch_stream.ts";
import { WatchRequest } from "../wire/messages.ts";
import { abandon, type Method, outboundOf, streaming, toServiceError } from "./method.ts";

/** Octets that may wait for one client before its watches wait instead. */
const MAX_WAITING_BYTES = 1 << 20;

export interface WatchServiceOptions {
  /** Ends all streams. */
  readonly stopping: AbortSignal;
  /** Milliseconds that a client may leave its connection full before its streams are ended. */
  readonly stallMs: number;
}

/** `etcdserverpb.Watch`. */
export function watchService(
  engine: Engine,
  { stopping, stallMs }: WatchServiceOptions,
): readonly Method[] {
  return [
    streaming("/etcdserverpb.Watch/Watch", WatchRequest, (call) => {
      const outbound = outboundOf(call);
      const share = outbound?.share();
      const fail = (error: unknown): void => void call.emit("error", toServiceError(error));
      let room: () => void = () => {};
      let stall: ReturnType<typeof setTimeout> | undefined;
      const stream = new WatchStream(engine.hub, {
        write: (reply) => {
          share?.add(reply.length);
          call.write(reply);
        },
        isFull: () => outbound?.exceeds(MAX_WAITING_BYTES) ?? false,
        whenRoom: (callback) => {
          // Which of a connection's streams is not read cannot be seen: the first to have waited so
          // long ends, and the others have its room. Its client goes on from where it stood.
          stall = setTimeout(() => {
            close();
            abandon(call);
          }, stallMs);
          room = () => {
            clearTimeout(stall);
            callback();
          };
          outbound?.whenBelow(MAX_WAITING_BYTES / 2, room);
        },
        hold: (held) => void (held ? call.pause() : call.resume()),
        fail,
      });
      const stop = (): void => {
        stream.close();
        fail(Refusal.stopping());
      };
      const close = (): void => {
        stream.close();
        clearTimeout(stall);
        share?.drop();
        outbound?.forget(room);
        stopping.removeEventListener("abort", stop);
      };
      call.on("data", ({ message }) => stream.receive(message));
      call.on("cancelled", close);
      call.on("close", close);
      call.on("error", close);
      call.on("end", () => {
        close();
        call.end();
      });
      if (stopping.aborted) stop();
      else stopping.addEventListener("abort", stop, { once: true });
    }),
  ];
}
