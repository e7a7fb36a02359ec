import { denoFlags } from "./deno_flags.ts";
import type { Permissions } from "./permissions.ts";
import { PRODUCTION, PRODUCTION_OPTIONS, ROLE_PERMISSIONS } from "./role_permissions.ts";

/** The table for people, in Markdown, with production's paths. */
export function renderPermissions(): string {
  const { agent } = PRODUCTION;
  const { store, vpp } = PRODUCTION_OPTIONS;
  const roles: readonly (readonly [string, Permissions])[] = [
    ["agent", ROLE_PERMISSIONS.agent(agent)],
    ["agent that starts VPP", ROLE_PERMISSIONS.agent({ ...agent, vpp })],
    ["agent with a store", ROLE_PERMISSIONS.agent({ ...agent, store })],
    ["vswitch", ROLE_PERMISSIONS.vswitch(PRODUCTION.vswitch)],
    ["cni", ROLE_PERMISSIONS.cni(PRODUCTION.cni)],
    ["ksr", ROLE_PERMISSIONS.ksr()],
    ["store", ROLE_PERMISSIONS.store(PRODUCTION.store)],
    ["ctl", ROLE_PERMISSIONS.ctl()],
    ["vpp-config", ROLE_PERMISSIONS["vpp-config"](PRODUCTION["vpp-config"])],
    ["sandbox", ROLE_PERMISSIONS.sandbox()],
  ];
  const sections = roles.map(([role, permissions]) => {
    const command = ["deno run", ...denoFlags(permissions)].join(" \\\n  ");
    return `## ${role}\n\n\`\`\`sh\n${command}\n\`\`\`\n`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# What each role may do

Each role runs with these permissions of Deno and no others, in the sandbox and in the tests as in
production. This file is made of the table in \`mod/permissions/role_permissions.ts\` by
\`deno task gen:permissions\`. Paths are the defaults; who configures others grants others.

\`--allow-ffi\` is the C library, through which the agent, the vswitch and vpp-config reach
namespaces, devices, processes, shared memory and the kernel's parameters: Deno opens /proc, /sys
and /dev to nobody but programs that may do everything. Whoever may call C is held back by the
kernel only, so those lists keep mistakes in, not an attacker. The plugin's list holds: it reaches
one socket and six variables, and nothing else.

The single binary is built with what all roles need together; each gives back at its start the kinds
that it has nothing of, the agent when it has read its configuration.
`;
