import type { Libc } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { ApiDirectory, type Schema, VppClient, VppConnectionError } from "@contiv/vppapi";
import {
  type SharedMemoryOptions,
  SharedMemoryTransport,
  VppApiClientLibrary,
  VppLibraryError,
} from "@contiv/vppapiclient";

/** Ways to VPP's binary API. */
export const VPP_TRANSPORTS = ["auto", "shm", "socket"] as const;

/**
 * - `socket`: VPP's API socket.
 * - `shm`: shared memory, through libvppapiclient; the socket where the library cannot be used, or
 *   not yet, after a VPP died in a call.
 * - `auto`: the socket, which is never slower (docs/decisions/0040-vpp-transport.md); shared memory
 *   where there is no socket but a library.
 */
export type VppTransport = typeof VPP_TRANSPORTS[number];

export interface VppConnectorOptions {
  /** Open as long as connections are. */
  readonly libc: Libc;
  /** Name under which VPP lists the client, at most 58 octets. */
  readonly name: string;
  readonly transport: VppTransport;
  /** Path of VPP's API socket: `socksvr { socket-name }`. */
  readonly socket: string;
  /** What `api-segment { prefix }` says in VPP's startup configuration, or "". */
  readonly segmentPrefix: string;
  /** Path of libvppapiclient. @default by the loader's search */
  readonly library?: string | undefined;
  /** Directory of VPP's `*.api.json`; where there are none, the layouts of known releases count. */
  readonly apiFiles: string;
  readonly log: Logger;
  /** Directory of POSIX shared memory, another one in tests. @default "/dev/shm" */
  readonly segments?: string | undefined;
  /** See {@link SharedMemoryOptions}. */
  readonly isHeld?: SharedMemoryOptions["isHeld"];
}

/** Makes connections to VPP, each over the transport that is wanted or the one that there is. */
export class VppConnector {
  readonly #options: VppConnectorOptions;
  readonly #files: ApiDirectory;
  #library: VppApiClientLibrary | VppLibraryError | undefined;
  #transport: "shm" | "socket" | undefined;
  /** Complaints already made: each is worth one line, not one per attempt. */
  readonly #said = new Set<string>();

  constructor(options: VppConnectorOptions) {
    this.#options = options;
    this.#files = new ApiDirectory(options.apiFiles);
  }

  /** What the last connection goes over. */
  get transport(): "shm" | "socket" | undefined {
    return this.#transport;
  }

  /**
   * Connects.
   *
   * @throws {VppConnectionError} if VPP cannot be reached; for `auto`, its cause says why not over
   *   the socket
   */
  async connect(signal: AbortSignal): Promise<VppClient> {
    const described = this.#described();
    const wanted = this.#options.transport;
    if (wanted === "shm" && this.#usable() !== undefined) {
      try {
        return await this.#shm(described, signal);
      } catch (error) {
        // A VPP that died in a call may keep the library waiting, for ever if it held a lock.
        if (!(error instanceof VppConnectionError) || error.code !== "timeout") throw error;
        this.#options.log.warn("shared memory is not to be had, the socket is used", {
          reason: error.message,
        });
      }
    }
    try {
      return await this.#socket(described, signal);
    } catch (error) {
      const absent = error instanceof VppConnectionError && error.code === "refused";
      if (wanted !== "auto" || !absent || this.#usable() === undefined) throw error;
      try {
        return await this.#shm(described, signal);
      } catch {
        // People look for the socket; that there is no segment either adds nothing.
        throw error;
      }
    }
  }

  async #socket(described: Schema | undefined, signal: AbortSignal): Promise<VppClient> {
    const { name, socket: path } = this.#options;
    const client = await VppClient.connect({ path, name, signal, described });
    this.#transport = "socket";
    return client;
  }

  async #shm(described: Schema | undefined, signal: AbortSignal): Promise<VppClient> {
    const { isHeld, libc, name, segmentPrefix: prefix, segments, socket } = this.#options;
    const library = this.#usable();
    if (library === undefined) throw new TypeError("libvppapiclient was not looked for");
    const transport = await SharedMemoryTransport.connect({
      libc,
      library,
      name,
      prefix,
      // Where VPP has a socket, it wakes an idle VPP, which else looks every 10 ms only.
      ...await exists(socket) && { apiSocket: socket },
      described,
      signal,
      segments,
      isHeld,
    });
    const client = await VppClient.over(transport, { name, signal, described });
    this.#transport = "shm";
    return client;
  }

  /** The library, if it can be used; why not is said once. */
  #usable(): VppApiClientLibrary | undefined {
    this.#library ??= open(this.#options.library);
    if (this.#library instanceof VppApiClientLibrary) return this.#library;
    const { message: reason, subject } = this.#library;
    this.#say(reason, () => {
      const level = this.#options.transport === "shm" ? "warn" : "debug";
      this.#options.log[level]("no shared memory, the socket is used", {
        missing: subject,
        reason,
      });
    });
    return undefined;
  }

  /** How VPP itself describes its messages, if it does so in a way that can be read. */
  #described(): Schema | undefined {
    const { apiFiles, log } = this.#options;
    try {
      const schema = this.#files.load();
      this.#say(schema === undefined ? "none" : "read", () => {
        if (schema === undefined) log.debug("no api files, known releases count", { apiFiles });
        else log.info("api files read", { apiFiles, messages: schema.names().length });
      });
      return schema;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#say(
        reason,
        () => log.warn("api files cannot be used, known releases count", { reason }),
      );
      return undefined;
    }
  }

  #say(what: string, say: () => void): void {
    if (this.#said.has(what) || this.#said.size > MAX_SAID) return;
    this.#said.add(what);
    say();
  }
}

const MAX_SAID = 100;

/** Binds the library, so that a missing symbol is known before anything depends on it. */
function open(path: string | undefined): VppApiClientLibrary | VppLibraryError {
  try {
    const library = VppApiClientLibrary.open(path);
    library.vac();
    return library;
  } catch (error) {
    if (error instanceof VppLibraryError) return error;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
