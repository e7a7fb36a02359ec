/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Where: file and keys, such as `/etc/contiv/agent.json: ipam.podSubnets[0]`. */
  readonly path: string;
  /** The value that is wrong, as JSON. */
  readonly value: string;

  constructor(path: string, value: unknown, wanted: string, options?: ErrorOptions) {
    const text = show(value);
    super(`Cannot use ${path}: ${text}, ${wanted} wanted`, options);
    this.path = path;
    this.value = text;
  }
}

/** A value for people: JSON, cut where it is long. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
