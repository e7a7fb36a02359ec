/** Manifests on a sandbox, as a user of kubectl applies them, and a node that loses its power. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@contiv/assert";
import { selfCommand } from "../deploy/sandbox/role_process.ts";
import { systemTest } from "./support/requires.ts";
import { run, type RunResult } from "./support/run_command.ts";
import { until } from "./support/until.ts";

const [program = "", ...words] = selfCommand();

const WEB = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, ports: [{ name: http, containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, ingress: [{ ports: [{ port: http }] }] }
`;
const CLIENT = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "client", labels: { app: "client" } },
  spec: { nodeSelector: { "kubernetes.io/hostname": "node1" } },
});

/** A sandbox of a name, as its user has it. */
class User {
  readonly name: string;
  readonly directory: string;

  constructor(name: string, directory: string) {
    this.name = name;
    this.directory = directory;
  }

  sandbox(args: string, stdin = ""): Promise<RunResult> {
    const own = [...words, "sandbox", "--name", this.name, ...args.split(" ")];
    return run(program, own, { check: false, limitMs: 60_000, stdin });
  }

  async does(args: string, stdin?: string): Promise<string> {
    const { code, stderr, stdout } = await this.sandbox(args, stdin);
    assertEquals(code, 0, `${args}: ${stdout}${stderr}`);
    return stdout;
  }

  /** What is reflected, as `contiv ctl list` shows it. */
  async reflected(kind: string): Promise<string> {
    const store = `unix:/run/contiv/sandbox/${this.name}/store.sock`;
    return (await run(program, [...words, "ctl", "list", kind, "--store", store])).stdout;
  }

  file(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.directory}/${name}`, text);
    return `${this.directory}/${name}`;
  }

  async pings(from: string, address: string): Promise<boolean> {
    const netns = `/run/netns/contiv-${this.name}-default_${from}`;
    const ping = ["ping", "-c1", "-W1", address];
    return (await run("nsenter", [`--net=${netns}`, ...ping], { check: false })).code === 0;
  }

  /** Pods of the deployment: names, addresses and nodes, by `status`. */
  async web(): Promise<{ name: string; address: string; node: string; state: string }[]> {
    const { stdout } = await this.sandbox("status");
    const rows = stdout.matchAll(/^(web-\S+) +([0-9.]+), \S+ +(node\d) +(.*?)  +shop /gm);
    return Array.from(rows, ([, name = "", address = "", node = "", state = ""]) => ({
      ...{ name, address, node, state },
    }));
  }
}

systemTest("manifests become pods, and a node without power takes only its own away", async (t) => {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-manifests-" });
  const user = new User(`w${Deno.pid}`, directory);
  const web = user.file("web.yaml", WEB);
  try {
    await user.does("up --nodes 3 --pods 0");

    await t.step("apply makes, wires and reflects", async () => {
      user.file("client.json", CLIENT);
      user.file("notes.txt", "no manifest");
      assertEquals((await user.does(`apply -f ${directory}`)).split("\n"), [
        "pod/client created",
        "namespace/shop created",
        "deployment.apps/web created",
        "service/web created",
        "networkpolicy.networking.k8s.io/web created",
        "",
      ]);
      const pods = await user.web();
      assertEquals(pods.map(({ node }) => node).sort(), ["node1", "node2", "node3"]);
      for (const { address, name } of pods) {
        assertMatch(name, /^web-[b-z2-9]{8,10}-[b-z2-9]{5}$/);
        assert(await user.pings("client", address), `client reaches ${name}`);
      }
      await until("KSR has reflected them", async () => {
        const slices = await user.reflected("endpointslices");
        return pods.every(({ address }) => slices.includes(address));
      });
      const reflected = await user.reflected("pods");
      for (const { address, name, node } of pods) {
        assertMatch(reflected, new RegExp(`shop +${name} +Running +${node} +${address},fd10`));
      }
      assertMatch(await user.reflected("services"), /shop +web +ClusterIP +10\.96\.0\.16/);
      assertMatch(await user.reflected("networkpolicies"), /shop +web/);
    });

    await t.step("apply again changes nothing, another template replaces pods", async () => {
      assertEquals(
        (await user.does(`apply -f ${web} -f -`, CLIENT)).match(/unchanged/g)?.length,
        5,
      );
      const before = await user.web();
      const output = await user.does(
        "apply -f -",
        WEB.replace("labels: { app: web }", 'labels: { app: web, v: "2" }'),
      );
      assertMatch(output, /^deployment\.apps\/web configured$/m);
      const names = before.map(({ name }) => name);
      const after = await user.web();
      assertEquals([after.length, after.filter(({ name }) => names.includes(name))], [3, []]);
    });

    await t.step("bad input is refused as a whole, by file, document and field", async () => {
      const bad = user.file(
        "bad.yaml",
        `${CLIENT.replace("client", "more")}\n---\n${WEB.replace("3", "x")}`,
      );
      const { code, stderr, stdout } = await user.sandbox(`apply -f ${bad}`);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(
        stderr,
        `${bad}, document 3 (line 6): deployment.apps/web: spec.replicas: "x", a whole number`,
      );
      assertEquals((await user.sandbox("status")).stdout.includes("more"), false);
      Deno.removeSync(bad);
    });

    await t.step("scale adds and takes away", async () => {
      assertEquals(
        await user.does("scale -n shop deploy/web --replicas 5"),
        "deployment.apps/web scaled\n",
      );
      assertEquals((await user.web()).length, 5);
      await user.does("scale -n shop web --replicas 3");
      assertEquals((await user.web()).length, 3);
      const { code, stderr } = await user.sandbox("scale web --replicas 3");
      assertEquals(code, 1);
      assertStringIncludes(stderr, 'Cannot scale "web": no such workload in namespace default');
    });

    await t.step("a node without power takes its pods away, the others go on", async () => {
      await user.does("node kill node2");
      const { code, stdout } = await user.sandbox("status");
      assertEquals(code, 1);
      assertMatch(stdout, /node2 +- +- +down, "node start node2" starts it/);
      assertMatch(stdout, /shop +deployment\.apps\/web +2\/3/);
      const pods = await user.web();
      for (const { address, node, state } of pods) {
        const works = node !== "node2";
        assertEquals(state, works ? "running" : "unreachable: node2 is down");
        assertEquals(await user.pings("client", address), works, `${address} on ${node}`);
      }
      const { address: dead = "" } = pods.find(({ node }) => node === "node2") ?? {};
      await until(
        "services leave it out",
        async () =>
          !(await user.reflected("endpointslices")).includes(`${dead},`) &&
          !(await user.reflected("endpointslices")).includes(`${dead}\n`),
      );
      await user.does("scale -n shop web --replicas 4");
      assertEquals((await user.web()).filter(({ node }) => node === "node2").length, 1);
    });

    await t.step("it comes back with its pods, but for those that were taken away", async () => {
      const [dead] = (await user.web()).filter(({ node }) => node === "node2");
      await user.does("scale -n shop web --replicas 3");
      assertEquals((await user.web()).some(({ node }) => node === "node2"), false);
      await user.does("node start node2");
      await user.does("scale -n shop web --replicas 6");
      const pods = await user.web();
      assertEquals(pods.some(({ name }) => name === dead?.name), false);
      assertEquals(pods.filter(({ node }) => node === "node2").length, 2);
      for (const { address, name } of pods) {
        await until(`client reaches ${name}`, () => user.pings("client", address));
      }
    });

    await t.step("delete takes out what was applied, and says what is not there", async () => {
      assertMatch(
        await user.does(`delete -f ${web}`),
        /^networkpolicy\.networking\.k8s\.io\/web deleted$/m,
      );
      assertEquals(await user.web(), []);
      const { code, stderr } = await user.sandbox(`delete -f ${web}`);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "error: deployment.apps/web not found");
      await until(
        "KSR has it no more",
        async () => !(await user.reflected("pods")).includes("web-"),
      );
    });
  } finally {
    await user.does("down");
    Deno.removeSync(directory, { recursive: true });
  }
  const { stdout } = await run("ip", ["netns", "list"]);
  assertEquals(stdout.split("\n").filter((line) => line.includes(`contiv-${user.name}-`)), []);
});
