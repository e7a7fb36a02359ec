import { request } from "node:http";

/** An answer of the agent's status server; status 0 where nobody answers, with the reason. */
export interface StatusAnswer {
  readonly status: number;
  readonly body: string;
}

const LIMIT_MS = 2_000;

/** Reads one path of the agent's status server, which speaks HTTP on a Unix socket. */
export function readStatus(socketPath: string, path: string): Promise<StatusAnswer> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ status: 0, body: error.message });
    const call = request({ socketPath, path, timeout: LIMIT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => body += chunk);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", fail);
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
    call.on("error", fail);
    call.end();
  });
}
