import { setImmediate } from "node:timers";
import { Logger } from "@contiv/log";
import { MemoryTransport, VppClient } from "@contiv/vppapi";
import { TransportChannel } from "../../../agent/vswitch/api/_transport_channel.ts";
import { MemoryFactory } from "../../../agent/vswitch/ports/memory_factory.ts";
import { MemoryPoller } from "../../../agent/vswitch/ports/memory_poller.ts";
import { Vswitch } from "../../../agent/vswitch/vswitch.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

/** Log lines of a single client, at most. */
const MAX_LINES = 200;

/** What a client sends to the embedded data plane after its hello; another client is answered. */
export const vppServer: FuzzTarget = {
  name: "vpp-server",
  corpus: () => readCorpus("vpp_server"),
  start: () => {
    let lines = 0;
    const make = (): Vswitch =>
      new Vswitch({
        factory: new MemoryFactory(),
        poller: new MemoryPoller(),
        now: () => performance.now(),
        pid: 4711,
        logger: new Logger({ write: () => lines++, now: () => 0 }),
        random: (bytes) => bytes.fill(7),
      });
    let vswitch = make();
    const connect = (): MemoryTransport => {
      const [client, server] = MemoryTransport.pair();
      void vswitch.server.serve(new TransportChannel(server));
      return client;
    };
    return {
      take: async (input) => {
        lines = 0;
        const client = connect();
        let answered = 0;
        client.receive((chunk) => answered += chunk.length);
        await client.send(input);
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
        client.close();
        if (lines > MAX_LINES) throw new Error(`${lines} lines were logged of one client`);
        return answered > 0;
      },
      check: async () => {
        {
          await using client = await VppClient.over(connect(), { name: "known" });
          const { vpe_pid } = await client.request("control_ping");
          if (vpe_pid !== 4711) throw new Error(`the answer is ${vpe_pid}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
        const { clients } = vswitch.server;
        if (clients > 5) throw new Error(`${clients} clients are held that have gone`);
        // Well-formed input makes interfaces and routes, which are right to stay.
        await vswitch.close();
        vswitch = make();
      },
      close: () => vswitch.close(),
    };
  },
};
