import { PERMISSION_KINDS, type Permissions } from "./permissions.ts";

/** The flags of `deno run` that give a process just this, and never ask for more. */
export function denoFlags(permissions: Permissions): readonly string[] {
  // Some things, such as opening /proc, Deno allows only with this very flag.
  if (PERMISSION_KINDS.every((kind) => permissions[kind] === "all")) return ["--allow-all"];
  const flags = PERMISSION_KINDS.flatMap((kind) => {
    const granted = permissions[kind];
    if (granted === undefined || granted.length === 0) return [];
    if (granted === "all") return [`--allow-${kind}`];
    // A comma in a value is doubled.
    return [`--allow-${kind}=${granted.map((value) => value.replaceAll(",", ",,")).join(",")}`];
  });
  return ["--no-prompt", ...flags];
}
