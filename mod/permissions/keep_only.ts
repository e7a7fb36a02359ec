import { PERMISSION_KINDS, type Permissions } from "./permissions.ts";

/**
 * Gives back every kind of permission that there is nothing of in these, for the single binary,
 * which is built with what all its roles need together. It cannot be had again.
 */
export async function keepOnly(permissions: Permissions): Promise<void> {
  for (const name of PERMISSION_KINDS) {
    if (permissions[name] === undefined) await Deno.permissions.revoke({ name });
  }
}
