import { type Permissions, PRODUCTION, ROLE_PERMISSIONS } from "@contiv/permissions";
import { codeSite } from "./role_process.ts";

/** What the agent with this configuration file may do; production's paths where it has none. */
export function agentPermissions(config: string): Permissions {
  const site = { ...PRODUCTION.agent, ...codeSite(), config };
  const values = read(config);
  const paths = Object.fromEntries(
    Object.entries(values).filter(([key, value]) =>
      Object.hasOwn(site, key) && typeof value === "string"
    ),
  );
  return ROLE_PERMISSIONS.agent({ ...site, ...paths, ...storeOf(values) });
}

function storeOf(values: object): { readonly store?: readonly string[] } {
  const store = "store" in values ? values.store : undefined;
  const named = typeof store === "object" && store !== null && "endpoints" in store;
  return named && Array.isArray(store.endpoints) ? { store: store.endpoints.map(String) } : {};
}

function read(config: string): object {
  try {
    const values: unknown = JSON.parse(Deno.readTextFileSync(config));
    return typeof values === "object" && values !== null ? values : {};
  } catch {
    return {}; // The agent will say what is wrong with it.
  }
}
