/** Text in the middle of a column, as VPP's `%=` format puts it. */
export function center(text: string, width: number): string {
  const room = Math.max(0, width - text.length);
  const left = Math.ceil(room / 2);
  return " ".repeat(left) + text + " ".repeat(room - left);
}
