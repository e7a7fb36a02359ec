import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import type { ByteSource } from "@contiv/cli";
import { CNI_VERBS, CNI_VERSIONS, type CniVerb, hasVerb } from "@contiv/cni-spec";
import fc from "fast-check";
import { FakeAgent, unusedSocket } from "./_fake_agent.ts";
import { cniCommand, type CniLimits } from "./command.ts";

/** An agent that is there may be slow to answer for the first time. */
const LIMITS: CniLimits = { inputMs: 2000, connectMs: 5000, statusMs: 5000 };
/** For one that is not. */
const IMPATIENT: CniLimits = { ...LIMITS, connectMs: 60, statusMs: 60 };
const ENVIRONMENT = {
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/var/run/netns/c1",
  CNI_IFNAME: "eth0",
  CNI_ARGS: "K8S_POD_NAME=web",
  CNI_PATH: "/opt/cni/bin",
};

function source(bytes: Uint8Array, chunk = 5): ByteSource {
  let offset = 0;
  return {
    read(buffer): Promise<number | null> {
      if (offset >= bytes.length) return Promise.resolve(null);
      const part = bytes.subarray(offset, offset + Math.min(chunk, buffer.length));
      buffer.set(part);
      offset += part.length;
      return Promise.resolve(part.length);
    },
  };
}

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  environment: Record<string, string>,
  stdin: ByteSource,
  limits = LIMITS,
  signal = new AbortController().signal,
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const status = await cniCommand({
    args: [],
    env: { get: (name) => environment[name] },
    stdin,
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    signal,
  }, limits);
  return { status, stdout, stderr };
}

function execute(
  verb: string,
  config: unknown,
  environment: Record<string, string> = ENVIRONMENT,
  limits = LIMITS,
): Promise<Outcome> {
  const bytes = new TextEncoder().encode(JSON.stringify(config));
  return run({ ...environment, CNI_COMMAND: verb }, source(bytes, 4096), limits);
}

function config(socket: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const keys = { cniVersion: "1.1.0", name: "contiv", type: "contiv", agentSocket: socket };
  return { ...keys, prevResult: {}, "cni.dev/valid-attachments": [], ...more };
}

function failure({ status, stdout }: Outcome): { code: number; msg: string; details?: string } {
  assertEquals(status, 1, stdout);
  const { cniVersion, ...error } = JSON.parse(stdout);
  assert((CNI_VERSIONS as readonly string[]).includes(cniVersion), stdout);
  return error;
}

Deno.test("every command of every version reaches the agent with all that was said", async (t) => {
  await using agent = await FakeAgent.start();
  const result = '{"cniVersion":"as the agent says"}';
  agent.answer = () => ({ result: new TextEncoder().encode(result) });
  for (const cniVersion of CNI_VERSIONS) {
    for (const verb of CNI_VERBS.filter((candidate) => hasVerb(cniVersion, candidate))) {
      await t.step(`${verb} ${cniVersion}`, async () => {
        const sent = config(agent.socket, { cniVersion, runtimeConfig: { a: 1 } });
        assertEquals(await execute(verb, sent), {
          status: 0,
          stdout: verb === "ADD" ? `${result}\n` : "",
          stderr: "",
        });
        const request = agent.requests.at(-1);
        const attachment = verb !== "GC" && verb !== "STATUS";
        assertEquals(JSON.parse(new TextDecoder().decode(request?.config)), sent);
        assertEquals({ ...request, config: undefined }, {
          command: verb,
          containerId: attachment ? "c1" : "",
          netns: attachment ? "/var/run/netns/c1" : "",
          ifname: attachment ? "eth0" : "",
          args: "K8S_POD_NAME=web",
          path: "/opt/cni/bin",
          config: undefined,
          cniVersion,
        });
      });
    }
  }
});

Deno.test("a command that its version lacks is incompatible", async () => {
  for (const cniVersion of CNI_VERSIONS) {
    for (const verb of CNI_VERBS.filter((candidate) => !hasVerb(cniVersion, candidate))) {
      const { code, msg } = failure(await execute(verb, config("/nowhere", { cniVersion })));
      assertEquals(code, 1);
      assertStringIncludes(msg, verb);
    }
  }
});

Deno.test("VERSION answers with or without standard input", async () => {
  const supportedVersions = CNI_VERSIONS;
  const versions = async (stdin: string): Promise<unknown> => {
    const bytes = new TextEncoder().encode(stdin);
    const { status, stdout } = await run({ CNI_COMMAND: "VERSION" }, source(bytes));
    assertEquals(status, 0);
    return JSON.parse(stdout);
  };
  assertEquals(await versions('{"cniVersion":"0.4.0"}'), {
    cniVersion: "0.4.0",
    supportedVersions,
  });
  for (const stdin of ["", "{", '{"cniVersion":"7.0.0"}']) {
    assertEquals(await versions(stdin), { cniVersion: "1.1.0", supportedVersions });
  }
});

Deno.test("errors have the specification's form: version, code, message, details", async () => {
  const outcome = await execute("ADD", config("/nowhere", { cniVersion: "0.4.0", name: "-" }));
  assertEquals(
    outcome.stdout,
    '{"cniVersion":"0.4.0","code":7,"msg":"Cannot take name of the network configuration: wanted ' +
      'a letter or digit, then letters, digits, _, . or -","details":"name is \\"-\\""}\n',
  );
  assertStringIncludes(outcome.stderr, "level=error");
});

Deno.test("each mistake has its code", async (t) => {
  const add = (more: Record<string, unknown>): Promise<Outcome> =>
    execute("ADD", config("/nowhere", more));
  const cases: Record<string, [run: () => Promise<Outcome>, code: number, includes: string]> = {
    "unknown version": [() => add({ cniVersion: "2.0.0" }), 1, "0.3.1, 0.4.0, 1.0.0, 1.1.0"],
    "unknown command": [() => execute("FOO", {}), 4, "CNI_COMMAND"],
    "no container": [
      () => execute("ADD", {}, { CNI_NETNS: "/n", CNI_IFNAME: "e" }),
      4,
      "CONTAINERID",
    ],
    "no JSON": [
      () => run({ ...ENVIRONMENT, CNI_COMMAND: "ADD" }, source(new Uint8Array(0))),
      6,
      "JSON",
    ],
    "relative socket": [() => add({ agentSocket: "agent.sock" }), 7, "agentSocket"],
    "socket path too long": [() => add({ agentSocket: `/${"x".repeat(107)}` }), 7, "agentSocket"],
    "no time": [() => add({ timeoutSeconds: 0 }), 7, "timeoutSeconds"],
    "unknown level": [() => add({ logLevel: "loud" }), 7, "logLevel"],
    "CHECK without prevResult": [
      () => execute("CHECK", config("/nowhere", { prevResult: undefined })),
      7,
      "prevResult",
    ],
    "GC without attachments": [
      () => execute("GC", config("/nowhere", { "cni.dev/valid-attachments": undefined })),
      7,
      "cni.dev/valid-attachments",
    ],
    "too much input": [
      () => {
        const input = source(new Uint8Array((1 << 20) + 1).fill(0x20), 65_536);
        return run({ ...ENVIRONMENT, CNI_COMMAND: "ADD" }, input);
      },
      5,
      "1048576",
    ],
    "input that does not end": [
      () => {
        const never: ByteSource = { read: () => new Promise(() => {}) };
        return run({ ...ENVIRONMENT, CNI_COMMAND: "ADD" }, never, { ...LIMITS, inputMs: 50 });
      },
      5,
      "50 ms",
    ],
    "input that fails": [
      () => {
        const broken: ByteSource = { read: () => Promise.reject(new Error("EIO")) };
        return run({ ...ENVIRONMENT, CNI_COMMAND: "ADD" }, broken);
      },
      5,
      "EIO",
    ],
  };
  for (const [name, [act, code, includes]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const error = failure(await act());
      assertEquals(error.code, code);
      assertStringIncludes(error.msg, includes);
    });
  }
});

Deno.test("without an agent the runtime is to try again, and STATUS says what is missing", async () => {
  const codes: Record<CniVerb, number> = { ADD: 11, DEL: 11, CHECK: 11, GC: 11, STATUS: 50 };
  for (const verb of CNI_VERBS) {
    const outcome = await execute(verb, config(unusedSocket()), ENVIRONMENT, IMPATIENT);
    assertEquals(failure(outcome).code, codes[verb], verb);
  }
});

Deno.test("the agent's errors are passed on", async () => {
  await using agent = await FakeAgent.start();
  agent.answer = () => ({ code: 51, message: "VPP is away", details: "socket closed" });
  assertEquals(failure(await execute("STATUS", config(agent.socket))), {
    code: 51,
    msg: "VPP is away",
    details: "socket closed",
  });
});

Deno.test("an agent that hangs is given up, as is one when the plugin is told to stop", async () => {
  await using agent = await FakeAgent.start();
  agent.answer = () => undefined;
  const error = failure(await execute("ADD", config(agent.socket, { timeoutSeconds: 0.1 })));
  assertEquals(error.code, 11);
  assertStringIncludes(error.details ?? "", "100 ms");
  const controller = new AbortController();
  agent.answer = () => void controller.abort();
  const input = source(new TextEncoder().encode(JSON.stringify(config(agent.socket))), 4096);
  const environment = { ...ENVIRONMENT, CNI_COMMAND: "DEL" };
  assertEquals(failure(await run(environment, input, LIMITS, controller.signal)).code, 11);
});

Deno.test("an ADD without a result is an error", async () => {
  await using agent = await FakeAgent.start();
  assertEquals(failure(await execute("ADD", config(agent.socket))).code, 999);
});

Deno.test("DEL without a namespace asks the agent", async () => {
  await using agent = await FakeAgent.start();
  const { CNI_NETNS: _, ...environment } = ENVIRONMENT;
  assertEquals((await execute("DEL", config(agent.socket), environment)).status, 0);
  assertEquals(agent.requests[0]?.netns, "");
});

Deno.test("the debug level tells of success", async () => {
  await using agent = await FakeAgent.start();
  const { stderr } = await execute("DEL", config(agent.socket, { logLevel: "debug" }));
  assertStringIncludes(stderr, 'event="command done" command=DEL container=c1');
});

Deno.test("any environment and input give an answer or one of the specification's errors", async () => {
  const value = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom("", "c1", "eth0", "/var/run/netns/x", "..", "a/b"),
  );
  const environments = fc.record({
    CNI_COMMAND: fc.constantFrom("ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", "", "x"),
    CNI_CONTAINERID: value,
    CNI_NETNS: value,
    CNI_IFNAME: value,
    CNI_ARGS: value,
    CNI_PATH: value,
  }, { requiredKeys: ["CNI_COMMAND"] });
  // No socket that could be connected to: 108 octets are one more than fit.
  const keys = fc.record({
    cniVersion: fc.oneof(fc.constantFrom(...CNI_VERSIONS), fc.jsonValue()),
    name: fc.oneof(fc.constant("net"), fc.jsonValue()),
    type: fc.oneof(fc.constant("contiv"), fc.jsonValue()),
    prevResult: fc.jsonValue(),
    "cni.dev/valid-attachments": fc.jsonValue(),
    timeoutSeconds: fc.jsonValue(),
    logLevel: fc.jsonValue(),
  }, { requiredKeys: [] }).map((object) =>
    new TextEncoder().encode(JSON.stringify({ ...object, agentSocket: `/${"x".repeat(107)}` }))
  );
  const noise = fc.uint8Array({ maxLength: 50 });
  const inputs = fc.oneof(
    noise,
    keys,
    keys,
    fc.tuple(keys, noise).map(([a, b]) => {
      const bytes = a.slice();
      bytes.set(b.subarray(0, bytes.length), bytes.length >> 1 < b.length ? 0 : bytes.length >> 1);
      return bytes;
    }),
  );
  const codes = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      environments,
      inputs,
      fc.integer({ min: 1, max: 100 }),
      async (env, input, n) => {
        const outcome = await run(env as Record<string, string>, source(input, n), IMPATIENT);
        if (outcome.status === 0) {
          assertEquals(env.CNI_COMMAND, "VERSION");
          return;
        }
        const { code, msg } = failure(outcome);
        assert([1, 4, 6, 7].includes(code), outcome.stdout);
        assert(msg.length > 0);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      },
    ),
    { numRuns: 10_000, seed: 5 },
  );
  assertEquals([...codes.keys()].sort(), [1, 4, 6, 7]);
});
