import { Codec, decodeHelloReply, decodeMessage, FrameReader, Schema } from "@contiv/vppapi";
import { VppFrameError, VppSchemaError } from "@contiv/vppapi";
import { readCorpus } from "../corpus.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

/** Longest frame that is taken here. */
const MAX_FRAME = 1 << 14;

/**
 * What a data plane sends: frames in two pieces, each read as a hello and as a message that its
 * first octets name.
 */
export const vppClient: FuzzTarget = {
  name: "vpp-client",
  corpus: () => readCorpus("vpp_client"),
  start: () => {
    const schema = Schema.builtin();
    const names = schema.names();
    const codec = new Codec(schema);
    return {
      take: (input) => {
        const reader = new FrameReader(MAX_FRAME);
        let read = false;
        const half = input.length >> 1;
        const whole = readOrRefused(() => {
          for (const piece of [input.subarray(0, half), input.subarray(half)]) {
            reader.push(piece, (bytes, start, end) => {
              const number = (bytes[start] ?? 0) << 8 | (bytes[start + 1] ?? 0);
              const name = names[number % names.length] ?? "";
              const decode = (): void =>
                void decodeMessage(schema.message(name), bytes, start, end);
              const hello = (): void => void decodeHelloReply(codec, bytes, start, end);
              read = readOrRefused(decode, VppSchemaError) || read;
              read = readOrRefused(hello, VppSchemaError) || read;
            });
          }
        }, VppFrameError);
        if (reader.held > MAX_FRAME + 16) throw new RangeError(`${reader.held} octets are held`);
        return whole && read;
      },
    };
  },
};
