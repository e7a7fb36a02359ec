import { assertEquals, assertThrows } from "@contiv/assert";
import { InputError } from "./input_error.ts";
import { titleOf } from "./objects.ts";
import { type InputOptions, readInput } from "./read_input.ts";
import { workload } from "./testing.ts";

const read = (text: string, options: Partial<InputOptions> = {}, name = "t.yaml") =>
  readInput([{ name, text }], { check: true, ...options });

function problems(text: string, options: Partial<InputOptions> = {}, name = "t.yaml"): string[] {
  const { message } = assertThrows(() => read(text, options, name), InputError);
  return message.split("\n").slice(1).map((line) => line.trim());
}

const POD = "{ apiVersion: v1, kind: Pod, metadata: { name: a } }";

Deno.test("YAML, JSON and lists are read, and it is said where each object stands", () => {
  const list = '{"apiVersion":"v1","kind":"List","items":[' +
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}},' +
    '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"c"}}]}';
  const { given } = readInput([
    { name: "a.yaml", text: `# first\n${POD}\n---\n---\n${POD.replace("name: a", "name: d")}` },
    { name: "-", text: list },
  ], { check: true });
  assertEquals(given.map((each) => `${titleOf(each)} in ${each.where}`), [
    "pod/a in a.yaml, document 1 (line 2)",
    "pod/d in a.yaml, document 2 (line 5)",
    "pod/b in -, document 1 (line 1)",
    "namespace/c in -, document 1 (line 1)",
  ]);
});

Deno.test("standard input may be YAML that starts as JSON does, or JSON values in a row", () => {
  const json = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"}}';
  const names = (text: string): string[] => read(text, {}, "-").given.map(titleOf);
  assertEquals(names(`${POD}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n`), [
    "pod/a",
    "pod/b",
  ]);
  assertEquals(names(json.replace("NAME", "a") + json.replace("NAME", "b")), ["pod/a", "pod/b"]);
});

Deno.test("objects that name no namespace get the one that is given, others must be of it", () => {
  const [pod] = read(POD, { namespace: "shop" }).given;
  assertEquals(pod?.manifest.metadata, { name: "a", namespace: "shop" });
  assertEquals(problems(POD.replace("name: a", "name: a, namespace: x"), { namespace: "shop" }), [
    't.yaml, document 1 (line 1): pod/a: metadata.namespace: "x", "shop" wanted',
  ]);
});

Deno.test("what no packet is sent by is passed over and said, what cannot be run is refused", () => {
  assertEquals(read(`{ apiVersion: v1, kind: Secret, metadata: { name: s } }\n---\n${POD}`).notes, [
    "secret/s skipped: nothing in the sandbox reads a Secret",
  ]);
  const [problem = ""] = problems("{ apiVersion: batch/v1, kind: Job, metadata: { name: j } }");
  assertEquals(
    problem.replace(/one of .*/, "..."),
    't.yaml, document 1 (line 1): job/j: kind: "Job" of batch/v1, ...',
  );
  const spec = "{ tolerations: [], affinity: {} }";
  assertEquals(read(workload("Deployment", { spec })).notes, [
    "deployment.apps/web: spec.template.spec.affinity is not honoured",
    "deployment.apps/web: spec.template.spec.tolerations is not honoured",
  ]);
});

const WEB = "t.yaml, document 1 (line 2): deployment.apps/web";
const ONE = "t.yaml, document 1 (line 1)";
const WRONG: readonly [what: string, text: string, wanted: string][] = [
  [
    "text that is no YAML",
    "a: [1",
    `${ONE}: Flow sequence in block collection must be ` +
    "sufficiently indented and end with a ]",
  ],
  ["no object", "- 1", `${ONE}: no object, an API object wanted`],
  ["no name", "{ apiVersion: v1, kind: Pod }", `${ONE}: Pod without metadata.name, one wanted`],
  [
    "a name that is none",
    POD.replace("name: a", "name: A_b"),
    `${ONE}: pod/A_b: metadata.name: ` +
    '"A_b", lower case letters, digits, dashes and dots, 63 at most, wanted',
  ],
  [
    "one object twice",
    `${POD}\n---\n${POD}`,
    "t.yaml, document 2 (line 3): pod/a: it is in " +
    "t.yaml, document 1 (line 1) already",
  ],
  [
    "a field that there is not",
    POD.replace("a } }", "a }, speck: 1 }"),
    `${ONE}: pod/a: speck: 1, no such field but apiVersion, ` +
    "kind, metadata, spec, status wanted",
  ],
  [
    "the host's network",
    POD.replace("a } }", "a }, spec: { hostNetwork: true } }"),
    `${ONE}: pod/a: spec.hostNetwork: true, a pod with a network of its own, as the sandbox runs ` +
    "no other, wanted",
  ],
  [
    "replicas that are no number",
    workload("Deployment").replace("  \n", "  replicas: x\n"),
    `${WEB}: spec.replicas: "x", a whole number from 0 to 1000 wanted`,
  ],
  [
    "a selector that does not select",
    workload("Deployment").replace("labels: { app: web,", "labels: {"),
    `${WEB}: spec.template.metadata.labels: {"image":"a"}, labels that spec.selector selects wanted`,
  ],
  [
    "a port of a template that is none",
    workload("Deployment", {
      spec: "{ containers: [{ ports: [{ name: x, containerPort: 0x10000 }] }] }",
    }),
    `${WEB}: spec.template.spec.containers[0].ports[0].containerPort: 65536, a whole number from ` +
    "1 to 65535 wanted",
  ],
  [
    "a policy's port that is none",
    "{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, " +
    "metadata: { name: p }, spec: { podSelector: {}, ingress: [{ ports: [{ protocol: tcp }] }] } }",
    `${ONE}: networkpolicy.networking.k8s.io/p: spec.ingress[0].ports[0].protocol: "tcp", one of ` +
    "TCP, UDP, SCTP wanted",
  ],
];

for (const [what, text, wanted] of WRONG) {
  Deno.test(`refused with file, document and field: ${what}`, () => {
    assertEquals(problems(text), [wanted]);
  });
}

Deno.test("all that is wrong is told at once", () => {
  assertEquals(problems(`${POD.replace("name: a", "name: A")}\n---\n- 1\n---\n${POD}`).length, 2);
});
