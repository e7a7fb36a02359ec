import { selfCommand } from "../../deploy/sandbox/role_process.ts";
import type { TestNode } from "./test_node.ts";

/** What a runtime says of a container, and, for `gc`, which attachments it knows. */
export interface RuntimeRequest {
  readonly ContainerID?: string;
  readonly NetNS?: string;
  readonly IfName?: string;
  readonly Args?: readonly (readonly [string, string])[];
  readonly CapabilityArgs?: Readonly<Record<string, unknown>>;
  readonly Valid?: readonly { readonly containerID: string; readonly ifname: string }[];
}

/** What libcni gave: a result of ADD, an error, or neither. */
export interface RuntimeAnswer {
  /** The version that libcni took from the list. */
  readonly version: string;
  readonly result?: RuntimeResult;
  /** `code` is the plugin's; 0 where libcni itself refused. */
  readonly error?: { readonly code: number; readonly message: string; readonly details: string };
}

export interface RuntimeResult {
  readonly cniVersion: string;
  readonly interfaces: readonly { readonly name: string; readonly sandbox?: string }[];
  readonly ips: readonly { readonly address: string }[];
}

/** A configuration list with its path and the directories that its plugins are looked for in. */
export interface NetworkList {
  readonly name: string;
  readonly path: string;
  readonly plugins: string;
}

export interface NetworkListOptions {
  /** @default "contiv" */
  readonly name?: string;
  /** Plugins after contiv. */
  readonly chained?: readonly Readonly<Record<string, unknown>>[];
  /** Further keys of contiv's own entry. */
  readonly own?: Readonly<Record<string, unknown>>;
  /** Further keys of the list. */
  readonly list?: Readonly<Record<string, unknown>>;
}

export type LibcniVerb = "validate" | "add" | "check" | "del" | "gc" | "status";

/** A container runtime in Go on a {@link TestNode}: libcni through its driver, and cnitool. */
export class CniRuntime {
  readonly #node: TestNode;
  readonly #tools: string;
  #lists = 0;

  /** @param tools directory of the programs, see `buildCniTools` */
  constructor(node: TestNode, tools: string) {
    this.#node = node;
    this.#tools = tools;
    Deno.mkdirSync(`${node.directory}/cni-bin`);
    const words = selfCommand().map((word) => `'${word}'`).join(" ");
    Deno.writeTextFileSync(`${node.directory}/cni-bin/contiv`, `#!/bin/sh\nexec ${words}\n`, {
      mode: 0o755,
    });
  }

  /** libcni's directory of results. */
  get cache(): string {
    return `${this.#node.directory}/cni-cache`;
  }

  /** Writes a configuration list, in a directory of its own. */
  writeList(cniVersion: string, options: NetworkListOptions = {}): NetworkList {
    const { cniVersion: _, name: usual, ...own } = this.#node.sandbox.networkConfig;
    const name = options.name ?? String(usual);
    const list = {
      cniVersion,
      name,
      ...options.list,
      plugins: [{ ...own, ...options.own }, ...options.chained ?? []],
    };
    const directory = `${this.#node.directory}/cni-net-${this.#lists++}`;
    Deno.mkdirSync(directory);
    const path = `${directory}/10-${name}.conflist`;
    Deno.writeTextFileSync(path, JSON.stringify(list));
    // Debian's plugins are of before CNI 1.1.0.
    const chained = cniVersion === "1.1.0" ? this.#tools : "/usr/lib/cni";
    return { name, path, plugins: `${this.#node.directory}/cni-bin:${chained}` };
  }

  /** Has libcni carry out a verb, in the node's network namespace. */
  async call(
    verb: LibcniVerb,
    list: NetworkList,
    request: RuntimeRequest = {},
  ): Promise<RuntimeAnswer> {
    const { stdout } = await this.#node.inNode([
      `${this.#tools}/driver`,
      verb,
      list.path,
      this.cache,
      JSON.stringify(request),
    ], { env: { CNI_PATH: list.plugins } });
    return JSON.parse(stdout) as RuntimeAnswer;
  }

  /**
   * Runs cnitool on a namespace. Its directory of results is fixed, so that it gets a /var/lib of
   * its own.
   * @throws {Error} with its output if it fails
   */
  async cnitool(
    verb: Exclude<LibcniVerb, "validate">,
    list: NetworkList,
    netns: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    Deno.mkdirSync(this.cache, { recursive: true });
    const { stdout } = await this.#node.inNode(
      [
        ["unshare", "--mount", "--propagation", "private", "sh", "-c"],
        ['mount --bind "$1" /var/lib && shift && exec "$@"', "sh", this.cache],
        [`${this.#tools}/cnitool`, verb, list.name, netns],
      ].flat(),
      {
        env: { CNI_PATH: list.plugins, NETCONFPATH: list.path.replace(/\/[^/]*$/, ""), ...env },
      },
    );
    return stdout;
  }
}
