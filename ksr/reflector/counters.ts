/** What a reflector has done since it was made. */
export interface Counters {
  puts: number;
  deletes: number;
  transactions: number;
  /** Changes of the source that change nothing that we keep. */
  unchanged: number;
  /** Listings of the source that were whole. */
  listings: number;
  /** Times that the store's objects were read and compared. */
  resyncs: number;
  storeErrors: number;
  sourceErrors: number;
}

export function newCounters(): Counters {
  return {
    puts: 0,
    deletes: 0,
    transactions: 0,
    unchanged: 0,
    listings: 0,
    resyncs: 0,
    storeErrors: 0,
    sourceErrors: 0,
  };
}
