/** Where the store listens, in the words that its clients use for an endpoint. */
export type ListenAddress =
  | { readonly type: "tcp"; readonly host: string; readonly port: number; readonly tls: boolean }
  | { readonly type: "unix"; readonly path: string };

/**
 * Reads `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`.
 * @throws {TypeError}
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { type: "unix", path };
  const [, scheme, host, port] =
    /^(https?):\/\/(\[[\da-fA-F:.]+\]|[^/:\s]+):(\d{1,5})$/.exec(text) ??
      [];
  if (host === undefined || Number(port) > 65_535) {
    const wanted = "http://HOST:PORT, https://HOST:PORT or unix:/PATH";
    throw new TypeError(`Cannot listen on ${text}: ${wanted} wanted`);
  }
  return { type: "tcp", host, port: Number(port), tls: scheme === "https" };
}

export function formatListenAddress(address: ListenAddress): string {
  if (address.type === "unix") return `unix:${address.path}`;
  return `${address.tls ? "https" : "http"}://${address.host}:${address.port}`;
}

/** Whether only this machine can reach it. */
export function isLocal(address: ListenAddress): boolean {
  return address.type === "unix" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(address.host);
}
