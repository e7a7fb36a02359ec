/** Whose VPP's interfaces are, as far as they are containers'. Kept by their descriptor. */
export class InterfaceOwners {
  readonly #byIndex = new Map<number, string>();

  /** The attachment that an interface belongs to, or `undefined`. */
  get(swIfIndex: number): string | undefined {
    return this.#byIndex.get(swIfIndex);
  }

  set(swIfIndex: number, attachmentId: string): void {
    this.#byIndex.set(swIfIndex, attachmentId);
  }

  delete(swIfIndex: number): void {
    this.#byIndex.delete(swIfIndex);
  }

  clear(): void {
    this.#byIndex.clear();
  }
}
