import { Libc } from "@contiv/libc";
import {
  callUnary,
  CNI_INVOKE_PATH,
  type CniReply,
  decodeCniReply,
  encodeCniRequest,
} from "@contiv/rpc";
import { CniServer } from "../../../agent/cni_server/mod.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzSubject, FuzzTarget } from "../target.ts";

const REPLY: CniReply = { code: 0, message: "", details: "", result: Uint8Array.of(1) };
const REQUEST = encodeCniRequest({
  ...{ command: "STATUS", containerId: "", netns: "", ifname: "", args: "", path: "" },
  ...{ config: new Uint8Array(0), cniVersion: "1.1.0" },
});

/** What a client sends to the agent's gRPC server, which meanwhile answers others. */
export const grpcServer: FuzzTarget = {
  name: "grpc-server",
  corpus: () => readCorpus("grpc_server"),
  start: async (): Promise<FuzzSubject> => {
    const folder = Deno.makeTempDirSync({ prefix: "contiv-fuzz-" });
    const path = `${folder}/agent.sock`;
    const libc = Libc.open();
    const server = await CniServer.listen({ path, libc, handle: () => Promise.resolve(REPLY) });
    const descriptors = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = descriptors();
    return {
      take: async (input) => {
        using connection = await Deno.connect({ transport: "unix", path });
        await connection.write(input).catch(() => {});
        connection.closeWrite().catch(() => {});
        const answer = new Uint8Array(64);
        // SETTINGS come first from a server that goes on, or nothing from one that does not.
        return await connection.read(answer).catch(() => null) !== null;
      },
      check: async () => {
        const reply = await callUnary({
          ...{ socket: path, path: CNI_INVOKE_PATH, message: REQUEST },
          ...{ timeoutMs: 10_000, connectTimeoutMs: 10_000 },
          signal: new AbortController().signal,
        });
        if (decodeCniReply(reply).code !== 0) throw new Error("the server answers wrongly");
        const more = descriptors() - before;
        if (more > 100) throw new Error(`${more} descriptors more than at the start are open`);
      },
      close: async () => {
        await server.close(1_000);
        libc.close();
        Deno.removeSync(folder, { recursive: true });
      },
    };
  },
};
