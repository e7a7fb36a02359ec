import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type CniReply, type CniRequest, cniService } from "@contiv/rpc";

/** An agent for tests: a real grpc-js server that keeps what it was asked and answers as told. */
export class FakeAgent implements AsyncDisposable {
  readonly socket: string;
  readonly requests: CniRequest[] = [];
  /** What is answered; a test may replace it. `undefined` leaves the call waiting. */
  answer: (request: CniRequest) => Partial<CniReply> | undefined = () => ({});
  readonly #server = new Server();

  private constructor(socket: string) {
    this.socket = socket;
    this.#server.addService(cniService, {
      invoke: (call: { request: CniRequest }, callback: (error: null, reply: CniReply) => void) => {
        this.requests.push(call.request);
        const reply = this.answer(call.request);
        if (reply === undefined) return;
        callback(null, { code: 0, message: "", details: "", result: new Uint8Array(0), ...reply });
      },
    });
  }

  /** Starts one on a socket of its own. */
  static async start(): Promise<FakeAgent> {
    const agent = new FakeAgent(unusedSocket());
    await new Promise<void>((resolve, reject) =>
      agent.#server.bindAsync(
        `unix:${agent.socket}`,
        ServerCredentials.createInsecure(),
        (error) => error ? reject(error) : resolve(),
      )
    );
    return agent;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    return Promise.resolve();
  }
}

/** A path on which nothing listens. */
export function unusedSocket(): string {
  const path = Deno.makeTempFileSync({ prefix: "contiv-cni-" });
  Deno.removeSync(path);
  return path;
}
