/**
 * What Deno's node:http2 throws at grpc-js when it answers a call whose client has just gone: out of
 * an event, so that it would end the process (Deno 2.9, grpc-js 1.14).
 */
const GONE = "ERR_HTTP2_INVALID_STREAM";

/**
 * Keeps a client that leaves at the wrong moment from ending the process, until it is disposed of.
 * The answer is nobody's any more; all other errors end the process as ever.
 */
export function surviveGoneClients(): Disposable {
  const onError = (event: ErrorEvent): void => {
    const { error } = event;
    if (error instanceof Error && "code" in error && error.code === GONE) event.preventDefault();
  };
  globalThis.addEventListener("error", onError);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("error", onError) };
}
