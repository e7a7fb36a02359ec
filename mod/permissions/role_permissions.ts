import type { Permissions } from "./permissions.ts";

/** Where a role's files are. Paths are absolute. */
export interface RoleSite {
  /**
   * The directory that `main.ts` is in, of which a role reads its own code; absent for the single
   * binary and the bundled plugin, which have it in them.
   */
  readonly source?: string;
}

export interface AgentSite extends RoleSite {
  readonly config: string;
  readonly stateDir: string;
  readonly vppApiSocket: string;
  readonly cniSocket: string;
  readonly statusSocket: string;
  /** Directory of VPP's `*.api.json`. */
  readonly vppApiFiles: string;
  /** Endpoints of the store; absent for a node that stands alone. */
  readonly store?: readonly string[];
  /** The VPP that the agent starts; absent if somebody else does. */
  readonly vpp?: { readonly binary: string; readonly startupConfig: string } | undefined;
}

export interface StoreSite extends RoleSite {
  readonly data: string;
  /** Where it listens: `unix:PATH`, or URLs. */
  readonly listen: readonly string[];
  /** PEM files; none without TLS. */
  readonly pem?: readonly string[];
}

/** Where VPP's API keeps its regions, whose names its startup configuration begins. */
const SHARED_MEMORY = "/dev/shm";

/** As URLs have them: they write IPv4 in no other way. */
const ADDRESS = /^(\[.*\]|\d+\.\d+\.\d+\.\d+)$/;

/** What the runtime tells the plugin (CNI specification 1.1.0, section 2). */
const CNI_VARIABLES = [
  "CNI_ARGS",
  "CNI_COMMAND",
  "CNI_CONTAINERID",
  "CNI_IFNAME",
  "CNI_NETNS",
  "CNI_PATH",
];

/**
 * What each role may do, for a site. The one table: the sandbox and the tests start the roles with
 * it, `docs/permissions.md` and the README's commands are made of it, and the single binary gives
 * back what the role at hand lacks in it.
 *
 * Namespaces, devices, processes, shared memory and the kernel's parameters are reached through the C library (`ffi`), as
 * Deno opens /proc, /sys and /dev to nobody but programs that may do everything.
 */
export const ROLE_PERMISSIONS = {
  agent: (site: AgentSite): Permissions => {
    const { config, stateDir, vppApiFiles, vppApiSocket, cniSocket, statusSocket } = site;
    const { store = [], vpp } = site;
    const hasStore = store.length > 0;
    const folders = unique([stateDir, folderOf(cniSocket), folderOf(statusSocket)]);
    return {
      // The store's client reads its protocol's definition from wherever npm packages are kept, and
      // the environment for proxies.
      read: hasStore ? "all" : unique([
        ...code(site),
        ...[config, vppApiSocket, vppApiFiles],
        ...vpp === undefined ? [] : [vpp.binary, vpp.startupConfig],
        ...folders,
      ]),
      // What a VPP that was killed left in shared memory is removed before the next one starts.
      write: unique([vppApiSocket, ...folders, ...vpp === undefined ? [] : [SHARED_MEMORY]]),
      // The addresses behind a name are not known beforehand, and resolving it is a right too.
      net: store.every(isAddress)
        ? [...[vppApiSocket, cniSocket, statusSocket].map(unix), ...store.map(hostOf)]
        : "all",
      ...hasStore ? { env: "all" } : {},
      sys: hasStore ? "all" : ["hostname"],
      // The shell gives VPP a log file and is then replaced by it.
      ...vpp === undefined ? {} : { run: ["/bin/sh"] },
      ffi: "all",
    };
  },

  vswitch: ({ apiSocket, ...site }: RoleSite & { readonly apiSocket: string }): Permissions => ({
    read: [...code(site), folderOf(apiSocket)],
    write: [folderOf(apiSocket)],
    net: [unix(apiSocket)],
    ffi: "all",
  }),

  cni: ({ agentSocket }: { readonly agentSocket: string }): Permissions => ({
    read: [agentSocket],
    write: [agentSocket],
    net: [unix(agentSocket)],
    env: CNI_VARIABLES,
  }),

  // Where the Kubernetes API and etcd are, and with which files to prove who one is, is said by
  // a kubeconfig, which may name further ones.
  ksr: (): Permissions => ({ read: "all", write: "all", net: "all", env: "all", sys: "all" }),

  // The same for etcd alone. It writes to its terminal and to sockets, whose paths the store tells,
  // and which Deno counts as files.
  ctl: (): Permissions => ({ read: "all", write: "all", net: "all", env: "all", sys: "all" }),

  // The variables are those of its gRPC library.
  store: ({ data, listen, pem = [], ...site }: StoreSite): Permissions => {
    const sockets = listen.filter((address) => address.startsWith("unix:"));
    const folders = unique([data, ...sockets.map((socket) => socket.slice(5))].map(folderOf));
    return {
      read: [...code(site), ...folders, ...pem],
      write: folders,
      net: listen.map(hostOf),
      env: ["GRPC_*"],
    };
  },

  // Looks at the machine through the C library, and replaces one file, if it does not print it.
  "vpp-config": (
    { output, ...site }: RoleSite & { readonly output?: string },
  ): Permissions => {
    const files = output === undefined ? [] : [output, `${output}.new`];
    return {
      read: [...code(site), ...files.slice(1)],
      write: files,
      ffi: "all",
    };
  },

  // Starts the other roles, each with its own list, a data plane of the operator's choice and
  // commands in pods, and looks after processes in /proc.
  sandbox: (): Permissions => ({
    read: "all",
    write: "all",
    net: "all",
    env: "all",
    sys: "all",
    run: "all",
    import: "all",
    ffi: "all",
  }),
} as const;

/** The paths that roles have by default, with the checkout or the bundle in /opt/contiv. */
export const PRODUCTION = {
  agent: {
    source: "/opt/contiv",
    config: "/etc/contiv/agent.json",
    stateDir: "/var/lib/contiv/agent",
    vppApiSocket: "/run/contiv/vswitch/api.sock",
    cniSocket: "/run/contiv/agent.sock",
    statusSocket: "/run/contiv/agent-status.sock",
    vppApiFiles: "/usr/share/vpp/api",
  },
  vswitch: { source: "/opt/contiv", apiSocket: "/run/contiv/vswitch/api.sock" },
  cni: { agentSocket: "/run/contiv/agent.sock" },
  store: {
    source: "/opt/contiv",
    data: "/var/lib/contiv/store.db",
    listen: ["unix:/run/contiv/store.sock"],
  },
  "vpp-config": { source: "/opt/contiv", output: "/etc/vpp/startup.conf" },
} as const;

/** What an agent has besides, if its configuration says so. */
export const PRODUCTION_OPTIONS = {
  store: ["unix:/run/contiv/store.sock"],
  vpp: { binary: "/usr/bin/vpp", startupConfig: "/etc/vpp/startup.conf" },
} as const;

function code({ source }: RoleSite): readonly string[] {
  return source === undefined ? [] : [source];
}

function unix(path: string): string {
  return `unix:${path}`;
}

/** What has to be reached for an endpoint: a host with its port, or a Unix socket. */
function hostOf(endpoint: string): string {
  return endpoint.startsWith("unix:") ? endpoint : new URL(endpoint).host;
}

function isAddress(endpoint: string): boolean {
  return endpoint.startsWith("unix:") || ADDRESS.test(new URL(endpoint).hostname);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
