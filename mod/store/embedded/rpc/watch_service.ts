import type { Engine } from "../engine.ts";
import { Refusal } from "../status_error.ts";
import { WatchStream } from "../watch/watch_stream.ts";
import { WatchRequest } from "../wire/messages.ts";
import { type Method, outboundOf, streaming, toServiceError } from "./method.ts";

/** Octets that may wait for one client before its watches wait instead. */
const MAX_WAITING_BYTES = 1 << 20;

/** `etcdserverpb.Watch`; its streams end with the signal. */
export function watchService(engine: Engine, stopping: AbortSignal): readonly Method[] {
  return [
    streaming("/etcdserverpb.Watch/Watch", WatchRequest, (call) => {
      const fail = (error: unknown): void => void call.emit("error", toServiceError(error));
      const outbound = outboundOf(call);
      let room: () => void = () => {};
      const stream = new WatchStream(engine.hub, {
        write: (reply) => {
          outbound?.add(reply.length);
          call.write(reply);
        },
        isFull: () => outbound?.exceeds(MAX_WAITING_BYTES) ?? false,
        whenRoom: (callback) => {
          room = callback;
          outbound?.whenBelow(MAX_WAITING_BYTES / 2, callback);
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
