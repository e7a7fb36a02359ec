import { type Permissions, PRODUCTION, ROLE_PERMISSIONS } from "@contiv/permissions";
import { codeSite } from "./role_process.ts";

/** What the agent with this configuration file may do; production's paths where it has none. */
export function agentPermissions(config: string): Permissions {
  const site = { ...PRODUCTION.agent, ...codeSite(), config };
  return ROLE_PERMISSIONS.agent({ ...site, ...pathsIn(config, Object.keys(site)) });
}

function pathsIn(config: string, keys: readonly string[]): Readonly<Record<string, string>> {
  let values: unknown;
  try {
    values = JSON.parse(Deno.readTextFileSync(config));
  } catch {
    return {}; // The agent will say what is wrong with it.
  }
  if (typeof values !== "object" || values === null) return {};
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) =>
      keys.includes(key) && typeof value === "string"
    ),
  );
}
