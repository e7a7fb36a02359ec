/**
 * Loaded before the agent: the wall clock goes as far wrong as the file beside it says, in
 * milliseconds. What counts up from the start, as `performance.now()` does, does not follow, just
 * as the kernel's monotonic clock does not.
 *
 * @module
 */
const file = Deno.args.at(-1)?.replace(/agent\.json$/, "disk/state/clock") ?? "";
const wall = Date.now;

function offset(): number {
  try {
    return Number(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

const origin = performance.timeOrigin + offset();
Object.defineProperty(performance, "timeOrigin", { value: origin });
Date.now = () => wall() + offset();
globalThis.Date = new Proxy(Date, {
  construct: (date, args) => new date(...(args.length === 0 ? [Date.now()] : args) as [number]),
});
