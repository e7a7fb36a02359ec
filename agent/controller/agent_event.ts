import type { Attachment } from "../attachments/mod.ts";
import type { EventHandler, Prepared } from "../reconciler/mod.ts";

/** What an event ends with: the attachment it is about, if any. */
export type AgentResult = Attachment | undefined;

/** Something that the event loop carries out. */
export interface AgentEvent {
  /** For people, e.g. `ADD default/web-1 eth0`. */
  readonly description: string;
  /** The attachment; two events about the same never share a transaction. */
  readonly subject: string;
  /** Called by the loop when its turn has come. */
  prepare(): Prepared<AgentResult> | Promise<Prepared<AgentResult>>;
}

/** How the event loop carries out {@link AgentEvent}s. */
export const eventHandling: Pick<
  EventHandler<AgentEvent, AgentResult>,
  "describe" | "subject" | "prepare"
> = {
  describe: (event) => event.description,
  subject: (event) => event.subject,
  prepare: (event) => event.prepare(),
};
