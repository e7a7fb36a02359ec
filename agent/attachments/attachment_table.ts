import type { Attachment } from "./attachment.ts";

/** Attachments in memory, oldest first, found by what events ask for without a walk over all. */
export class AttachmentTable {
  readonly #byId = new Map<string, Attachment>();
  /** By the inode of the namespace that they are in. */
  readonly #byNamespace = new Map<string, Map<string, Attachment>>();
  readonly #deleting = new Map<string, Attachment>();
  #reads = 0;

  /** How many attachments have been read since the start. */
  get reads(): number {
    return this.#reads;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** How many are being deleted. */
  get deletingSize(): number {
    return this.#deleting.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): Attachment | undefined {
    this.#reads++;
    return this.#byId.get(id);
  }

  list(): readonly Attachment[] {
    return this.#read(this.#byId);
  }

  /** Those in one namespace. */
  inNamespace(inode: string): readonly Attachment[] {
    return this.#read(this.#byNamespace.get(inode));
  }

  /** Those that are being deleted. */
  deleting(): readonly Attachment[] {
    return this.#read(this.#deleting);
  }

  /** Puts an attachment in, or in place of the one of its ID, which keeps its namespace. */
  set(attachment: Attachment): void {
    const { id, netns: { inode }, state } = attachment;
    this.#byId.set(id, attachment);
    const neighbours = this.#byNamespace.get(inode);
    if (neighbours === undefined) this.#byNamespace.set(inode, new Map([[id, attachment]]));
    else neighbours.set(id, attachment);
    if (state === "deleting") this.#deleting.set(id, attachment);
    else this.#deleting.delete(id);
  }

  delete(id: string): void {
    const attachment = this.#byId.get(id);
    if (attachment === undefined) return;
    const { inode } = attachment.netns;
    this.#byId.delete(id);
    this.#deleting.delete(id);
    const neighbours = this.#byNamespace.get(inode);
    if (neighbours?.delete(id) && neighbours.size === 0) this.#byNamespace.delete(inode);
  }

  #read(attachments: ReadonlyMap<string, Attachment> | undefined): readonly Attachment[] {
    const all = [...attachments?.values() ?? []];
    this.#reads += all.length;
    return all;
  }
}
