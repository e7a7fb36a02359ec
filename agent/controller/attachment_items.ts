import type { Attachment } from "../attachments/mod.ts";
import { renderAttachment } from "../features/mod.ts";
import type { NodePrefix } from "../ipam/mod.ts";
import { vppInterfaceKey } from "../items/mod.ts";
import type { Change, Item, Removal } from "../reconciler/mod.ts";

/** An attachment's items, and its keys by what they mean for its end. */
export class AttachmentItems {
  readonly items: readonly Item[];
  readonly #id: string;

  constructor(attachment: Attachment, layouts: readonly NodePrefix[], translates: boolean) {
    this.#id = attachment.id;
    this.items = renderAttachment(attachment, layouts, translates);
  }

  get keys(): readonly string[] {
    return this.items.map(({ key }) => key);
  }

  /** What must be gone before the attachment counts as withdrawn: all but its interface. */
  get forwardingKeys(): readonly string[] {
    const interfaceKey = vppInterfaceKey(this.#id);
    return this.keys.filter((key) => key !== interfaceKey);
  }

  get removals(): readonly Removal[] {
    return this.keys.map((key) => ({ key, delete: true }));
  }

  /** What a resync is told: the items, or that they are not wanted. */
  changes(wanted: boolean): readonly Change[] {
    return wanted ? this.items : this.removals;
  }
}
