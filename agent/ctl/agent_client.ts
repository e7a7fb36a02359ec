import { request } from "node:http";

/** An agent's answer; status 0 where nobody answers, with the reason as its body. */
export interface AgentAnswer {
  readonly status: number;
  readonly body: string;
}

/** Milliseconds that an agent may take. */
const LIMIT_MS = 3_000;
/** Octets of an answer that are read. */
const MAX_BODY = 64 * 1024 * 1024;

/** Asks an agent on its status socket: HTTP on a Unix socket. Never rejects. */
export class AgentClient {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  get(path: string): Promise<AgentAnswer> {
    return this.#ask("GET", path);
  }

  post(path: string): Promise<AgentAnswer> {
    return this.#ask("POST", path);
  }

  /** A JSON document; `undefined` if there is none. */
  async json(method: "GET" | "POST", path: string): Promise<Record<string, unknown> | undefined> {
    const { body, status } = await this.#ask(method, path);
    if (status !== 200) return undefined;
    try {
      const value: unknown = JSON.parse(body);
      return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
    } catch {
      return undefined;
    }
  }

  #ask(method: string, path: string): Promise<AgentAnswer> {
    return new Promise((resolve) => {
      const fail = (error: Error): void => resolve({ status: 0, body: error.message });
      const call = request(
        { socketPath: this.socket, path, method, timeout: LIMIT_MS },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            body += chunk;
            if (body.length > MAX_BODY) call.destroy(new Error("its answer is too long"));
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
          response.on("error", fail);
        },
      );
      call.on("timeout", () => call.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
      call.on("error", fail);
      call.end();
    });
  }
}
