/** Plugins that contiv uses; the others cost time at the start and memory. */
const PLUGINS = ["acl", "af_packet", "cnat", "ping", "tap", "tracedump", "urpf", "vxlan"];

export interface VppStartupOptions {
  /** For sockets, log and runtime files. */
  readonly directory: string;
  readonly apiSocket: string;
  /** Of its shared memory's names; differs from VPP to VPP. */
  readonly apiPrefix: string;
  /** Directory of the plugins. */
  readonly plugins: string;
}

/**
 * The startup configuration of a VPP that shares a machine with others: no hugepages, no PCI
 * devices, one thread that sleeps while nothing happens, and small buffers. Of its heap it takes what
 * it needs.
 */
export function vppStartupConfig(options: VppStartupOptions): string {
  const { directory, apiSocket, apiPrefix, plugins } = options;
  return `unix {
  nodaemon
  nosyslog
  nobanner
  cli-no-pager
  cli-listen ${directory}/cli.sock
  log ${directory}/vpp.log
  runtime-dir ${directory}
}
memory { main-heap-size 1G main-heap-page-size default }
buffers { buffers-per-numa 16384 page-size default }
physmem { max-size 256M }
statseg { socket-name ${directory}/stats.sock size 256M page-size default }
api-segment { prefix ${apiPrefix} }
socksvr { socket-name ${apiSocket} }
cpu { workers 0 }
plugins {
  path ${plugins}
  plugin default { disable }
${PLUGINS.map((name) => `  plugin ${name}_plugin.so { enable }`).join("\n")}
}
logging { default-log-level info default-syslog-log-level disabled }
`;
}
