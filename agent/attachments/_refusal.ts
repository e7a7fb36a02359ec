import { AttachmentStoreError } from "./error.ts";

/** The error of a state that cannot be opened, whoever noticed. */
export function refusal(path: string, cause: unknown): AttachmentStoreError {
  if (cause instanceof AttachmentStoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = /malformed|not a database/.test(reason) ? "CORRUPT" : "OPEN";
  return new AttachmentStoreError(
    code,
    `Cannot open attachments in ${path}: ${reason}, a readable database wanted`,
    { cause },
  );
}
