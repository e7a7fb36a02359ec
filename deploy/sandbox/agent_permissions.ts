import {
  type AgentSite,
  type Permissions,
  PRODUCTION,
  PRODUCTION_OPTIONS,
  ROLE_PERMISSIONS,
} from "@contiv/permissions";
import { apiDirectoryOf } from "@contiv/vppapi";
import { codeSite } from "./role_process.ts";

type Values = Readonly<Record<string, unknown>>;

/** What the agent with this configuration file may do; production's paths where it has none. */
export function agentPermissions(config: string): Permissions {
  const values = read(config);
  const vpp = vppOf(values);
  const vppApiFiles = apiDirectoryOf(vpp?.binary);
  const site = withTexts({ ...PRODUCTION.agent, vppApiFiles, ...codeSite(), config }, values);
  return ROLE_PERMISSIONS.agent({ ...site, ...storeOf(values), vpp });
}

function storeOf({ store }: Values): Pick<AgentSite, "store"> {
  const { endpoints } = objectOf(store);
  return Array.isArray(endpoints) ? { store: endpoints.map(String) } : {};
}

function vppOf({ vpp }: Values): AgentSite["vpp"] {
  const values = objectOf(vpp);
  const { supervise } = values;
  return supervise === true ? withTexts(PRODUCTION_OPTIONS.vpp, values) : undefined;
}

/** The site with the texts that the configuration has for its keys. */
function withTexts<T extends object>(site: T, values: Values): T {
  const texts = Object.entries(values).filter(([key, value]) =>
    Object.hasOwn(site, key) && typeof value === "string"
  );
  return { ...site, ...Object.fromEntries(texts) };
}

function objectOf(value: unknown): Values {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function read(config: string): Values {
  try {
    return objectOf(JSON.parse(Deno.readTextFileSync(config)));
  } catch {
    return {}; // The agent will say what is wrong with it.
  }
}
