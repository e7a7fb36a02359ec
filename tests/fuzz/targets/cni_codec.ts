import { decodeCniReply, decodeCniRequest, RpcDecodeError } from "@contiv/rpc";
import { readCorpus } from "../corpus.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

/** The messages between plugin and agent: a request to the one, a reply to the other. */
export const cniCodec: FuzzTarget = {
  name: "cni-codec",
  corpus: () => readCorpus("cni_codec"),
  start: () => ({
    take: (input) => {
      const request = readOrRefused(() => void decodeCniRequest(input), RpcDecodeError);
      return readOrRefused(() => void decodeCniReply(input), RpcDecodeError) || request;
    },
  }),
};
