/** A stored value or key that is not what the model says. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  /** Where, such as `pods/default/web-0: ports[1].port`. */
  readonly path: string;
  /** The value that is wrong, as JSON. */
  readonly value: string;
  readonly wanted: string;

  constructor(path: string, value: unknown, wanted: string, options?: ErrorOptions) {
    const text = show(value);
    super(`Cannot read ${path}: ${text}, ${wanted} wanted`, options);
    this.path = path;
    this.value = text;
    this.wanted = wanted;
  }
}

/** A value for people: JSON, cut where it is long. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
