/** TCP in the network namespace of a pod, on a thread that stays there. */
import { Libc, NetNs } from "@contiv/libc";

/** What the thread is asked. */
export type StreamRequest =
  | { readonly do: "enter"; readonly path: string }
  | { readonly do: "listen"; readonly name: string; readonly host: string; readonly port: number }
  | { readonly do: "connect"; readonly host: string; readonly port: number }
  | { readonly do: "exchange"; readonly stream: number; readonly text: string }
  | { readonly do: "close"; readonly stream: number };

/** A value, or the name of the error that the operation met. */
export type StreamAnswer = { readonly value: string | number } | { readonly error: string };

interface WorkerScope {
  onmessage:
    | ((event: MessageEvent<{ readonly id: number; readonly request: StreamRequest }>) => void)
    | null;
  postMessage(message: { readonly id: number; readonly answer: StreamAnswer }): void;
}

const scope = globalThis as unknown as WorkerScope;
const streams: Deno.TcpConn[] = [];

/** Answers each piece of text with the server's name, the client's address and the text. */
async function serve(name: string, listener: Deno.TcpListener): Promise<void> {
  for await (const client of listener) {
    void (async () => {
      const { hostname, port } = client.remoteAddr;
      const buffer = new Uint8Array(2048);
      for (let length; (length = await client.read(buffer)) !== null;) {
        const text = new TextDecoder().decode(buffer.subarray(0, length));
        await client.write(new TextEncoder().encode(`${name} ${hostname} ${port} ${text}`));
      }
      client.close();
    })().catch(() => client.close());
  }
}

async function answer(request: StreamRequest): Promise<string | number> {
  switch (request.do) {
    case "enter": {
      using libc = Libc.open();
      using netns = NetNs.open(libc, request.path);
      libc.check(libc.symbols.setns(netns.fd, 0), "enter", "setns", request.path);
      return 0;
    }
    case "listen":
      void serve(request.name, Deno.listen({ hostname: request.host, port: request.port }));
      return 0;
    case "connect":
      return streams.push(
        await Deno.connect({ hostname: request.host, port: request.port }),
      ) - 1;
    case "exchange": {
      const stream = streams[request.stream];
      if (stream === undefined) throw new Error("NoSuchStream");
      await stream.write(new TextEncoder().encode(request.text));
      const buffer = new Uint8Array(2048);
      const length = await stream.read(buffer);
      return length === null ? "" : new TextDecoder().decode(buffer.subarray(0, length));
    }
    case "close":
      streams[request.stream]?.close();
      return 0;
  }
}

scope.onmessage = ({ data: { id, request } }): void => {
  answer(request).then(
    (value) => scope.postMessage({ id, answer: { value } }),
    (error) => scope.postMessage({ id, answer: { error: (error as Error).name } }),
  );
};
