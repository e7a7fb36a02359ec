import { IpAddress, MacAddress } from "@contiv/net";
import { type Attachment, attachmentId } from "./attachment.ts";

const STATES: readonly string[] = ["adding", "ready", "deleting"] satisfies Attachment["state"][];
/** Of a value in a message. */
const MAX_TEXT = 80;

/**
 * What in a record no agent can have written, for people, or `undefined`. A record's digest tells
 * that it is as it was written; one that was migrated from the first layout had none.
 */
export function attachmentFault(attachment: Attachment): string | undefined {
  const { id, state, addresses, mac, mtu, rank, createdAt } = attachment;
  if (id !== attachmentId(attachment)) return `ID ${quote(id)}, ${attachmentId(attachment)} wanted`;
  if (!STATES.includes(state)) return `state ${quote(state)}, one of ${STATES.join(", ")} wanted`;
  if (!isMac(mac)) return `MAC address ${quote(mac)}, six pairs of hexadecimal digits wanted`;
  const wrong = addresses.find((each) => IpAddress.tryParse(each) === undefined);
  if (wrong !== undefined) return `address ${quote(wrong)}, an IP address wanted`;
  const numbers = Object.entries({ mtu, rank, createdAt });
  const odd = numbers.find(([, value]) => !Number.isSafeInteger(value) || value < 0);
  return odd && `${odd[0]} ${odd[1]}, a whole number wanted`;
}

function isMac(text: string): boolean {
  try {
    MacAddress.parse(text);
    return true;
  } catch {
    return false;
  }
}

function quote(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, MAX_TEXT);
}
