import type { StreamAnswer, StreamRequest } from "./stream_worker.ts";

/** What came back when nothing came back in time. */
export const SILENCE = "silence";

/** TCP sockets of a pod: they live on a thread of their own, in the pod's namespace. */
export class Streams implements Disposable {
  readonly #worker = new Worker(new URL("./stream_worker.ts", import.meta.url), {
    type: "module",
  });
  readonly #waiting = new Map<number, (answer: StreamAnswer) => void>();
  #next = 0;

  private constructor() {
    this.#worker.onmessage = (
      { data }: MessageEvent<{ readonly id: number; readonly answer: StreamAnswer }>,
    ) => {
      this.#waiting.get(data.id)?.(data.answer);
      this.#waiting.delete(data.id);
    };
  }

  /** @param path of the network namespace */
  static async enter(path: string): Promise<Streams> {
    const streams = new Streams();
    await streams.#ask({ do: "enter", path }, 10_000);
    return streams;
  }

  /** Serves a port: each text is answered by `<name> <client's address> <its port> <text>`. */
  async listen(name: string, host: string, port: number): Promise<void> {
    await this.#ask({ do: "listen", name, host, port }, 10_000);
  }

  /** The new stream's number, or the error's name, or {@link SILENCE}. */
  async connect(host: string, port: number, limitMs = 2_000): Promise<number | string> {
    return await this.#ask({ do: "connect", host, port }, limitMs);
  }

  /** The answer to a text, or the error's name, or {@link SILENCE}. */
  async exchange(stream: number | string, text: string, limitMs = 2_000): Promise<string> {
    if (typeof stream === "string") return stream;
    return String(await this.#ask({ do: "exchange", stream, text }, limitMs));
  }

  async close(stream: number | string): Promise<void> {
    if (typeof stream === "number") await this.#ask({ do: "close", stream }, 1_000);
  }

  /** Connects, exchanges one text, closes. */
  async once(host: string, port: number, limitMs = 2_000): Promise<string> {
    const stream = await this.connect(host, port, limitMs);
    const answer = await this.exchange(stream, "hello", limitMs);
    await this.close(stream);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #ask(request: StreamRequest, limitMs: number): Promise<string | number> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve(SILENCE);
      }, limitMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve("value" in answer ? answer.value : answer.error);
      });
      this.#worker.postMessage({ id, request });
    });
  }
}
