import type { Dataplane } from "../core/mod.ts";

/** A packet plane that patches two interfaces together, for tests of what surrounds it. */
export interface FakePlane {
  readonly dataplane: Dataplane;
  readonly txErrors: Map<number, number>;
  readonly linksDown: number[];
  readonly ticks: number[];
}

/**
 * Frames of interface 1 leave by 2 and the other way round.
 * @param emit is called for every frame processed
 */
export function fakePlane(
  emit: (swIfIndex: number, buffer: Uint8Array, offset: number, length: number) => void,
): FakePlane {
  const txErrors = new Map<number, number>();
  const linksDown: number[] = [];
  const ticks: number[] = [];
  const part: Partial<Dataplane> = {
    process: (buffer, offset, length, swIfIndex) => emit(3 - swIfIndex, buffer, offset, length),
    flush: () => {},
    tick: (nowMs) => void ticks.push(nowMs),
    countTxError: (swIfIndex, packets) =>
      void txErrors.set(swIfIndex, (txErrors.get(swIfIndex) ?? 0) + packets),
    setLinkUp: (swIfIndex, up) => {
      if (!up) linksDown.push(swIfIndex);
      return 0;
    },
    interface: () => undefined,
  };
  return { dataplane: part as Dataplane, txErrors, linksDown, ticks };
}
