import { ExitCode, UsageError } from "@contiv/cli";
import type { CommandContext } from "@contiv/cli";
import type { ClusterWorkloads } from "./cluster_workloads.ts";
import { replicaCount } from "./command_flags.ts";
import { readFiles } from "./read_files.ts";
import { DEFAULT_NAMESPACE } from "./sandbox.ts";
import { changing, type VerbInput } from "./verb_input.ts";
import { type Input, type Outcome, podsOf, readInput } from "./workloads/mod.ts";

/** `apply -f PATH`: takes manifests in and waits until their pods are wired. */
export async function apply(input: VerbInput): Promise<number> {
  const { given, notes } = await readGiven("apply", input, true);
  const { stderr } = input.context;
  for (const note of notes) stderr.write(`note: ${note}\n`);
  return await changing(input, async (_, workloads) => {
    const before = podsOf(workloads.objects).length;
    say(input.context, workloads.apply(given));
    const code = await settle(input.context, workloads);
    if (podsOf(workloads.objects).length > before) {
      stderr.write('note: containers are not started, "exec POD -- CMD" runs programs in a pod\n');
    }
    return code;
  });
}

/** `delete -f PATH`: takes out what these manifests name, with its pods. */
export async function remove(input: VerbInput): Promise<number> {
  const { given } = await readGiven("delete", input, false);
  return await changing(input, async (_, workloads) => {
    const outcomes = workloads.delete(given);
    say(input.context, outcomes);
    const code = await settle(input.context, workloads);
    return outcomes.some(({ what }) => what === "not found") ? ExitCode.FAILURE : code;
  });
}

/** `scale KIND/NAME --replicas N`. */
export async function scale(input: VerbInput): Promise<number> {
  const [reference, ...more] = input.operands;
  if (reference === undefined || more.length > 0) {
    throw new UsageError(`scale takes one KIND/NAME, got ${input.operands.length}`);
  }
  const replicas = replicaCount(input.parsed);
  const namespace = input.parsed.flags.namespace ?? DEFAULT_NAMESPACE;
  return await changing(input, async (_, workloads) => {
    say(input.context, workloads.scale({ namespace, reference, replicas }));
    return await settle(input.context, workloads);
  });
}

/** Makes it so, and says what is not. */
export async function settle(
  { stderr }: CommandContext,
  workloads: ClusterWorkloads,
): Promise<number> {
  const { errors, pending } = await workloads.settle();
  for (const line of pending) stderr.write(`note: ${line}\n`);
  for (const line of errors) stderr.write(`error: ${line}\n`);
  return errors.length > 0 ? ExitCode.FAILURE : ExitCode.OK;
}

function say({ stderr, stdout }: CommandContext, outcomes: readonly Outcome[]): void {
  for (const { title, what } of outcomes) {
    if (what === "not found") stderr.write(`error: ${title} not found\n`);
    else stdout.write(`${title} ${what}\n`);
  }
}

async function readGiven(
  verb: string,
  { context, operands, parsed: { flags } }: VerbInput,
  check: boolean,
): Promise<Input> {
  if (flags.file.length === 0 || operands.length > 0) {
    throw new UsageError(`${verb}: wanted -f FILE, -f DIR or -f -`);
  }
  const files = await readFiles(flags.file, context.stdin);
  return readInput(files, { namespace: flags.namespace, check });
}
