import { Daemon } from "./daemon.ts";
import { freePorts } from "./free_ports.ts";

/** etcd's own `grpc-proxy` before a store. */
export class GrpcProxy implements AsyncDisposable {
  readonly endpoint: string;
  readonly #directory = Deno.makeTempDirSync({ prefix: "contiv-proxy-" });
  #daemon: Daemon | undefined;

  private constructor(port: number) {
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** @param address `HOST:PORT` of the store */
  static async start(address: string): Promise<GrpcProxy> {
    const [port = 0] = freePorts(1);
    const proxy = new GrpcProxy(port);
    proxy.#daemon = await Daemon.start({
      command: [
        ["etcd", "grpc-proxy", "start", "--endpoints", address],
        ["--listen-addr", `127.0.0.1:${port}`, "--data-dir", proxy.#directory],
      ].flat(),
      ready: /started gRPC proxy/,
    });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.stop();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
