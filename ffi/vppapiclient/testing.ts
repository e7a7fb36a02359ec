/**
 * A libvppapiclient without VPP, compiled from our own source, for the tests of this folder.
 *
 * @module
 */

const CONTROL = {
  stub_get: { parameters: ["i32"], result: "i64" },
  stub_set: { parameters: ["i32", "i64"], result: "void" },
  stub_name: { parameters: ["i32"], result: "pointer" },
  stub_send: { parameters: ["buffer", "i32"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What can be set in the stub and read from it, in the order of its source. */
const KNOBS = [
  "connectResult",
  "connectMs",
  "writeResult",
  "disconnectMs",
  "silent",
  "statResult",
  "statChanges",
  "statMs",
  "heapSize",
  "connects",
  "disconnects",
  "writes",
  "liveBuffers",
  "queueLength",
  "callerIsOtherThread",
  "lastLength",
  "messageTouched",
  "statClients",
  "statMapped",
  "statVectors",
  "statTimeoutNs",
] as const;
export type Knob = typeof KNOBS[number];

/** A compiled stub and its remote control. Each has a state of its own. */
export class StubLibrary implements Disposable {
  readonly path: string;
  /** Directory of the segments that tests pretend to have. */
  readonly directory: string;
  readonly #control: Deno.DynamicLibrary<typeof CONTROL>;
  readonly #owner: boolean;

  private constructor(directory: string, path: string, owner: boolean) {
    this.directory = directory;
    this.path = path;
    this.#control = Deno.dlopen(path, CONTROL);
    this.#owner = owner;
  }

  /** The remote control of a stub that somebody else compiled and removes. */
  static attach(path: string): StubLibrary {
    return new StubLibrary(path.replace(/\/[^/]*$/, ""), path, false);
  }

  /** Compiles the stub, without what the defines leave out. */
  static async compile(...defines: string[]): Promise<StubLibrary> {
    const directory = await Deno.makeTempDir({ prefix: "contiv-vac-" });
    const path = `${directory}/libvppapiclient.so`;
    const source = new URL("testdata/stub.c", import.meta.url).pathname;
    const flags = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"];
    const args = [...flags, ...defines.map((name) => `-D${name}`), "-o", path, source];
    const { success, stderr } = await new Deno.Command("cc", { args }).output();
    if (!success) throw new Error(`cc ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    Deno.writeTextFileSync(`${directory}/vpe-api`, "");
    return new StubLibrary(directory, path, true);
  }

  get(knob: Knob): number {
    return Number(this.#control.symbols.stub_get(KNOBS.indexOf(knob)));
  }

  set(knob: Knob, value: number): void {
    this.#control.symbols.stub_set(KNOBS.indexOf(knob), BigInt(value));
  }

  /** Name and prefix, or the statistics socket, that the library was given last. */
  name(which: 0 | 1): string {
    const pointer = this.#control.symbols.stub_name(which);
    return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
  }

  /** Sends octets to the client, as if VPP did. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#control.symbols.stub_send(bytes, bytes.length);
  }

  [Symbol.dispose](): void {
    this.#control.close();
    if (this.#owner) Deno.removeSync(this.directory, { recursive: true });
  }
}
