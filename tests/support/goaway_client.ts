/**
 * A grpc-js client whose server sends GOAWAY again and again: after calls one after another and in
 * the middle of a batch, for streams that it had begun and that it had not. Prints how many GOAWAYs
 * were sent and how many calls were answered.
 *
 * Run: `deno run --allow-all goaway_client.ts GOAWAYS`
 */
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

/** Calls between two GOAWAYs: so many crashed clients on newer releases of Deno. */
const CALLS = 50;
const NO_ERROR = 0;

const wanted = Number(Deno.args[0]);
const folder = Deno.makeTempDirSync({ prefix: "contiv-goaway-" });
const path = `${folder}/server.sock`;
const sessions = new Set<ServerHttp2Session>();
const server = createServer();
server.on("session", (session) => {
  sessions.add(session);
  session.on("close", () => sessions.delete(session));
  session.on("error", () => {});
});
server.on("stream", (stream: ServerHttp2Stream) => {
  stream.on("error", () => {});
  stream.respond(
    { ":status": 200, "content-type": "application/grpc+proto" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  // An empty message: not compressed, of length 0.
  stream.end(new Uint8Array(5));
});
const { promise: listening, resolve } = Promise.withResolvers<void>();
server.listen(path, () => resolve());
await listening;

const client = new Client(`unix:${path}`, credentials.createInsecure());

/** One call, and whether it was answered; it may fail as its server goes. */
function call(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const deadline = Date.now() + 20_000;
  client.makeUnaryRequest(
    "/contiv.test/Call",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    new Uint8Array(8),
    { deadline },
    (error: ServiceError | null) => resolve(error === null),
  );
  return promise;
}

let answered = 0;
let sent = 0;
while (sent < wanted) {
  const inBatch = sent % 4 >= 2;
  const calls: Promise<boolean>[] = [];
  for (let i = 0; i < CALLS; i++) {
    const one = call();
    calls.push(one);
    if (!inBatch) await one;
  }
  if (!inBatch) await Promise.all(calls);
  // With last stream 1 it had begun the first one, with 0 none.
  const live = [...sessions].filter(({ destroyed, closed }) => !destroyed && !closed);
  for (const session of live) session.goaway(NO_ERROR, sent % 2);
  for (const session of live) session.close();
  if (live.length > 0) sent++;
  answered += (await Promise.all(calls)).filter(Boolean).length;
}
const last = await call() || await call();
client.close();
for (const session of sessions) session.destroy();
server.close();
Deno.removeSync(folder, { recursive: true });
console.log(`${sent} GOAWAYs, ${answered} calls answered, ${last ? "and one more" : "none after"}`);
Deno.exit(0);
