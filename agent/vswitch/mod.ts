/**
 * The embedded data plane: VPP's binary API on its socket, over a packet plane that forwards real
 * frames between TAPs, interfaces of the host and loopbacks. A process of its own (`contiv
 * vswitch`); nothing else in `agent/` imports it. Touches the kernel through `ffi/libc`.
 *
 * @module
 */
export * from "./command.ts";
export * from "./vswitch.ts";
