/**
 * Writes docs/permissions.md.
 *
 * Run: `deno task gen:permissions`
 */
import { renderPermissions } from "./render_permissions.ts";

await Deno.writeTextFile(
  new URL("../../docs/permissions.md", import.meta.url),
  renderPermissions(),
);
