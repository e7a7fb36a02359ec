import { keepOnly } from "./keep_only.ts";
import { PRODUCTION, PRODUCTION_OPTIONS, ROLE_PERMISSIONS } from "./role_permissions.ts";

/**
 * Gives back what no configuration lets the role need, at its start; an agent that has read its own
 * gives back the rest. Of a command that is not in the table, nothing is given back.
 */
export async function giveBack(role: string): Promise<void> {
  if (!isRole(role)) return;
  const sites = {
    ...PRODUCTION.vswitch,
    ...PRODUCTION.cni,
    ...PRODUCTION.store,
    ...PRODUCTION["vpp-config"],
    ...PRODUCTION.agent,
    ...PRODUCTION_OPTIONS,
  };
  await keepOnly(ROLE_PERMISSIONS[role](sites));
}

function isRole(name: string): name is keyof typeof ROLE_PERMISSIONS {
  return Object.hasOwn(ROLE_PERMISSIONS, name);
}
