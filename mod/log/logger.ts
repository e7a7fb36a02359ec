/** Severities, least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = typeof LOG_LEVELS[number];

/** Values that a log line can carry; `undefined` leaves the field out. */
export type LogValue = string | number | bigint | boolean | undefined;

/** A log line's fields, in the order they are printed. */
export type LogFields = Readonly<Record<string, LogValue>>;

export interface LoggerOptions {
  /** Takes one finished line, newline included. */
  readonly write: (line: string) => void;
  /** @default "info" */
  readonly level?: LogLevel;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

// deno-lint-ignore no-control-regex -- control characters are what must not reach a terminal
const NEEDS_QUOTES = /[\s"=\\\u0000-\u001f\u007f-\u009f]|^$/;

function format(value: Exclude<LogValue, undefined>): string {
  const text = String(value);
  return NEEDS_QUOTES.test(text) ? JSON.stringify(text) : text;
}

/** One line per event, `key=value`, for standard error. */
export class Logger {
  readonly #options: LoggerOptions;
  readonly #threshold: number;
  readonly #fields: LogFields;
  readonly #prefix: string;

  constructor(options: LoggerOptions, fields: LogFields = {}) {
    this.#options = options;
    this.#threshold = LOG_LEVELS.indexOf(options.level ?? "info");
    this.#fields = fields;
    this.#prefix = Logger.#render(fields);
  }

  /** A logger that writes nowhere, for tests and libraries' defaults. */
  static silent(): Logger {
    return new Logger({ write: () => {}, now: () => 0, level: "error" });
  }

  static #render(fields: LogFields): string {
    let text = "";
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) text += ` ${key}=${format(value)}`;
    }
    return text;
  }

  /** A logger whose lines carry these fields too. */
  child(fields: LogFields): Logger {
    return new Logger(this.#options, { ...this.#fields, ...fields });
  }

  debug(event: string, fields?: LogFields): void {
    this.#log("debug", event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#log("info", event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#log("warn", event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#log("error", event, fields);
  }

  #log(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < this.#threshold) return;
    const time = new Date(this.#options.now()).toISOString();
    this.#options.write(
      `ts=${time} level=${level} event=${format(event)}${this.#prefix}${Logger.#render(fields)}\n`,
    );
  }
}
