import { SWITCH_VERSION } from "../version.ts";
import { showIpFib } from "./ip_fib.ts";
import { showHardware, showInterface } from "./interfaces.ts";
import { showIpNeighbors } from "./neighbors.ts";
import { center } from "./layout.ts";
import { CliError, type Command } from "./command.ts";

/** Packets that `show trace` prints unless told otherwise, as VPP does. */
const SHOWN_PACKETS = 50;

/**
 * Nodes that packets come in by, as `trace add` names them. All interfaces are traced together:
 * the data plane has one way in.
 */
const INPUT_NODES: ReadonlySet<string> = new Set([
  "any",
  "af-packet-input",
  "tap-input",
  "virtio-input",
]);

/** Every command, by its path. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  "show version": none(() => `vpp v${SWITCH_VERSION}\n`),
  "show interface": (args, host) => showInterface(args, host),
  "show hardware-interfaces": none((host) => showHardware(host)),
  "show ip fib": (args, host) => showIpFib(4, args, host),
  "show ip6 fib": (args, host) => showIpFib(6, args, host),
  "show ip neighbors": none((host) => showIpNeighbors([4, 6], host)),
  "show ip4 neighbors": none((host) => showIpNeighbors([4], host)),
  "show ip6 neighbors": none((host) => showIpNeighbors([6], host)),
  "show errors": none(({ dataplane }) => {
    let text = `${center("Count", 10)}${center("Node", 35)}${center("Reason", 35)}${
      center("Severity", 10)
    }\n`;
    for (const { node, reason, count } of dataplane.errors()) {
      text += `${String(count).padStart(10)}${center(node, 35)}${center(reason, 35)}${
        center("error", 10)
      }\n`;
    }
    return text;
  }),
  "show trace": (args, { dataplane }) => {
    if (args.length === 0) return dataplane.showTrace(SHOWN_PACKETS);
    const limit = args[0] === "max" && args.length === 2 ? countOf(args[1]) : undefined;
    if (limit === undefined) throw new CliError(`expected 'max COUNT', got \`${args.join(" ")}'`);
    return dataplane.showTrace(limit);
  },
  "clear trace": none(({ dataplane }) => {
    dataplane.clearTrace();
    return "";
  }),
  "clear interfaces": none(({ dataplane }) => {
    dataplane.clearCounters();
    return "";
  }),
  "trace add": (args, { dataplane }) => {
    const count = countOf(args[1]);
    const known = INPUT_NODES.has(args[0] ?? "");
    const rest = args.slice(2).filter((word) => word !== "verbose");
    if (!known || count === undefined || rest.length > 0) {
      throw new CliError(`expected NODE COUNT, got \`${args.join(" ")}'`);
    }
    dataplane.armTrace(count);
    return "";
  },
};

/** A command that takes no arguments. */
function none(run: (host: Parameters<Command>[1]) => string): Command {
  return (args, host) => {
    if (args.length > 0) throw new CliError(`unknown input \`${args.join(" ")}'`);
    return run(host);
  };
}

function countOf(word: string | undefined): number | undefined {
  return word !== undefined && /^\d{1,9}$/.test(word) ? Number(word) : undefined;
}
