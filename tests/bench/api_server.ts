/**
 * A Kubernetes API on loopback for benches, in a process of its own. Arguments: pods, nodes,
 * services. Prints its URL, then obeys lines: `change N` changes pod N; `rate N SECONDS` changes N
 * pods a second, then pod 0 a last time, and prints `done`.
 */
import { FakeApiServer } from "../../ksr/kubernetes/fake_api_server.ts";

type ApiObject = Parameters<FakeApiServer["put"]>[1];

const TEAMS = 50;
/** Milliseconds between two looks at how many changes are due. */
const TICK_MS = 2;
const [pods = 0, nodes = 0, services = 0] = Deno.args.map(Number);
const pem = (name: string): string =>
  Deno.readTextFileSync(new URL(`../../ksr/kubernetes/testdata/${name}`, import.meta.url));
const tls = { cert: pem("server1.pem"), key: pem("server1.key") };
const server = FakeApiServer.start({ tls });

const named = (prefix: string, i: number): ApiObject["metadata"] => ({
  namespace: `team-${i % TEAMS}`,
  name: `${prefix}-${i}`,
});
const addressOf = (i: number): string => `10.${1 + (i >> 16)}.${i >> 8 & 255}.${i & 255}`;
const nodeOf = (i: number): string => `node-${i % Math.max(1, nodes)}`;

/** A pod of the size that real ones have: 3 kB, of which we need little. */
function pod(i: number, change: number): ApiObject {
  const env = Array.from(
    { length: 30 },
    (_, j) => ({ name: `SETTING_${j}`, value: "x".repeat(60) }),
  );
  const metadata = {
    ...named("web", i),
    labels: { app: `app-${i % 1_000}`, tier: "web", change: String(change) },
    annotations: { "example.org/note": "y".repeat(200) },
  };
  return Object.assign({ metadata }, {
    spec: {
      nodeName: nodeOf(i),
      containers: [{ name: "c", image: "i", env, ports: [{ name: "http", containerPort: 8080 }] }],
    },
    status: { phase: "Running", podIP: addressOf(i) },
  });
}

function node(i: number): ApiObject {
  const address = `192.168.${i >> 8}.${i & 255}`;
  return Object.assign({ metadata: { name: nodeOf(i), labels: { pool: `p${i % 7}` } } }, {
    status: { addresses: [{ type: "InternalIP", address }] },
  });
}

function service(i: number): ApiObject {
  return Object.assign({ metadata: named("svc", i) }, {
    spec: {
      clusterIPs: [`10.96.${i >> 8}.${i & 255}`],
      selector: { app: `app-${i % 1_000}` },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  });
}

/** A service's backends: as many pods as there are for each service. */
function slice(i: number): ApiObject {
  const count = Math.ceil(pods / services);
  const labels = { "kubernetes.io/service-name": `svc-${i}` };
  return Object.assign({ metadata: { ...named("svc", i), labels } }, {
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: Array.from({ length: count }, (_, j) => ({
      addresses: [addressOf(i * count + j)],
      conditions: { ready: true },
      nodeName: nodeOf(i * count + j),
      targetRef: { kind: "Pod", ...named("web", i * count + j) },
    })),
  });
}

for (let i = 0; i < TEAMS; i++) server.put("namespaces", { metadata: { name: `team-${i}` } });
for (let i = 0; i < nodes; i++) server.put("nodes", node(i));
for (let i = 0; i < services; i++) {
  server.put("services", service(i));
  server.put("endpointslices", slice(i));
}
for (let i = 0; i < pods; i++) server.put("pods", pod(i, 0));
server.compact();
console.log(server.url);

let changes = 0;
async function changeAtRate(perSecond: number, seconds: number): Promise<void> {
  const start = performance.now();
  const all = perSecond * seconds;
  for (let done = 0; done < all;) {
    const due = Math.min(all, Math.floor((performance.now() - start) * perSecond / 1_000));
    for (; done < due; done++) server.put("pods", pod(++changes % pods, changes));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  server.put("pods", pod(0, -1));
  console.log("done");
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const [word, ...numbers] = line.split(" ");
    const [n = 0, seconds = 0] = numbers.map(Number);
    if (word === "change") server.put("pods", pod(n, ++changes));
    if (word === "rate") await changeAtRate(n, seconds);
  }
}
await server.stop();
