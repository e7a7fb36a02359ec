/** One entry of a section, with why it is there. */
export interface ConfigEntry {
  /** On one line; braces nest. */
  readonly words: string;
  readonly why: string;
}

/** A section of VPP's startup configuration. */
export interface ConfigSection {
  readonly name: string;
  readonly entries: readonly ConfigEntry[];
}

/**
 * The text of a startup configuration, which VPP takes with `-c`.
 *
 * @param explain whether each entry stands below a comment that says why
 */
export function renderStartupConfig(
  sections: readonly ConfigSection[],
  { explain = false }: { readonly explain?: boolean } = {},
): string {
  const lines = ({ words, why }: ConfigEntry): string =>
    explain ? `  # ${why}\n  ${words}\n` : `  ${words}\n`;
  return sections.map(({ name, entries }) => `${name} {\n${entries.map(lines).join("")}}\n`)
    .join(explain ? "\n" : "");
}
