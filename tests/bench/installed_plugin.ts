/** The plugin as README.md says to install it from a checkout: bundled into one file. */
export async function installedPlugin(directory: string): Promise<readonly string[]> {
  const bundle = `${directory}/contiv-cni.js`;
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const args = ["bundle", "--quiet", "--output", bundle, main];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`Cannot bundle the plugin: ${new TextDecoder().decode(stderr)}`);
  return [Deno.execPath(), "run", "--quiet", "--no-config", "--allow-all", bundle];
}
