/**
 * Turns places in a caller's large, long-lived buffer into addresses for C without allocating.
 *
 * Of the ways to hand C a moving part of one buffer, an address computed as
 * `BigInt(base + offset)` and declared `usize` costs what passing a ready view does, and neither
 * makes a view per frame (which costs some 30 ns and garbage) nor takes Deno's slow path (which
 * a plain number for `usize` does, at twice the price).
 */
export class ArenaAddress {
  #arena: Uint8Array | undefined;
  #base = 0;

  /**
   * The address of `length` octets at `offset`. The arena stays referenced until another one is
   * passed.
   * @throws {RangeError} if they do not lie within the arena
   */
  of(arena: Uint8Array, offset: number, length: number): bigint {
    if (offset < 0 || length < 0 || offset + length > arena.length) {
      throw new RangeError(
        `Cannot use ${length} octets at ${offset}: the buffer has ${arena.length} octets`,
      );
    }
    if (arena !== this.#arena) {
      this.#arena = arena;
      // User space ends at 2^47 or 2^48: a number holds an address exactly.
      this.#base = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(toOwned(arena))));
    }
    return BigInt(this.#base + offset);
  }
}

/** Only memory of an ArrayBuffer can be given to C. */
function toOwned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (isOwned(bytes)) return bytes;
  throw new TypeError("Cannot pass a shared buffer to C: an ArrayBuffer is wanted");
}

function isOwned(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
