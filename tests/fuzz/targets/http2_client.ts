import { RpcError } from "@contiv/rpc";
import { UnaryExchange } from "../../../mod/rpc/_unary_exchange.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

const MAX_REPLY = 1 << 16;

/** What a server sends to the plugin's HTTP/2 client, in pieces of a size that the input decides. */
export const http2Client: FuzzTarget = {
  name: "http2-client",
  corpus: () => readCorpus("http2_client"),
  start: () => ({
    take: (input) => {
      const message = new Uint8Array(300);
      const exchange = new UnaryExchange({
        ...{ path: "/p.S/M", message, timeoutMs: 1_000, maxReplyBytes: MAX_REPLY },
      });
      const step = 1 + (input.at(-1) ?? 0);
      try {
        for (let i = 0; i < input.length; i += step) {
          exchange.receive(input.subarray(i, i + step));
          exchange.takeOutput();
        }
      } catch (error) {
        // Its words may be the server's own.
        if (error instanceof RpcError && error.message !== "") return false;
        throw error;
      }
      const length = exchange.reply?.length ?? 0;
      if (length > MAX_REPLY) throw new RangeError(`A reply of ${length} octets was taken`);
      return exchange.reply !== undefined;
    },
  }),
};
