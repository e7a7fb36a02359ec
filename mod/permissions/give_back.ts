import { PERMISSION_KINDS } from "./permissions.ts";
import { PRODUCTION, ROLE_PERMISSIONS } from "./role_permissions.ts";

/**
 * Gives back every kind of permission that the role has nothing of, for the single binary, which is
 * built with what all its roles need together. It cannot be had again. Of a command that is not in
 * the table, nothing is given back.
 */
export async function giveBack(role: string): Promise<void> {
  if (!isRole(role)) return;
  const permissions = ROLE_PERMISSIONS[role]({
    ...PRODUCTION.agent,
    // Whether there is one is known when the configuration has been read.
    store: ["unix:/run/contiv/store.sock"],
    ...PRODUCTION.vswitch,
    ...PRODUCTION.cni,
  });
  for (const name of PERMISSION_KINDS) {
    if (permissions[name] === undefined) await Deno.permissions.revoke({ name });
  }
}

function isRole(name: string): name is keyof typeof ROLE_PERMISSIONS {
  return Object.hasOwn(ROLE_PERMISSIONS, name);
}
