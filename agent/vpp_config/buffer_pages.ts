/** `sizeof (vlib_buffer_t)`, headroom included, and its data. */
const BUFFER = 256 + 2_048;
/** DPDK's own header before each. */
const MBUF = 128;
const CACHE_LINE = 64;

/** How VPP's buffers lie in pages of one size. */
export interface BufferPages {
  /** Octets of a page. */
  readonly page: number;
  /** Buffers by which VPP counts out pages: those that fit behind one another in one. */
  readonly counted: number;
  /** Buffers that a page comes to hold on average: one that would cross its end is left out. */
  readonly held: number;
}

/**
 * Source: `vlib_buffer_alloc_size`, which makes the number of cache lines odd, so that buffers
 * spread over a cache's sets, and `vlib_buffer_pool_create`, which lays them out.
 */
export function bufferPages(page: number, { dpdk }: { readonly dpdk: boolean }): BufferPages {
  const lines = Math.ceil((BUFFER + (dpdk ? MBUF : 0)) / CACHE_LINE);
  const size = CACHE_LINE * (lines + 1 - lines % 2);
  // Being odd, the number of lines goes through all offsets of a page.
  const offsets = Math.ceil((page - size) / CACHE_LINE);
  const held = page / size * offsets / (page / CACHE_LINE);
  return { page, counted: Math.floor(page / size), held };
}
