import { run } from "../support/run_command.ts";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
/** Days that certificates are good for: tests are shorter. */
const DAYS = ["-days", "2"];

/** A certificate and its key, as files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority in a directory of its own, made by `openssl`. */
export class Authority {
  readonly #directory: string;
  #issued = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async create(directory: string, name: string): Promise<Authority> {
    Deno.mkdirSync(directory, { recursive: true });
    const authority = new Authority(directory);
    await openssl(
      ...["req", "-x509", ...NEW_KEY, ...DAYS, "-subj", `/CN=${name}`],
      ...["-keyout", `${directory}/ca.key`, "-out", authority.cert],
    );
    return authority;
  }

  /** The path of its certificate. */
  get cert(): string {
    return `${this.#directory}/ca.pem`;
  }

  /** A certificate for a server on loopback. */
  server(name: string): Promise<KeyPair> {
    const names = `DNS:${name},DNS:localhost,IP:127.0.0.1`;
    return this.#issue(name, `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  }

  /** A certificate that makes its bearer the user of this name. */
  client(user: string): Promise<KeyPair> {
    return this.#issue(user, "extendedKeyUsage=clientAuth\n");
  }

  async #issue(name: string, extensions: string): Promise<KeyPair> {
    const path = `${this.#directory}/${++this.#issued}`;
    const pair = { cert: `${path}.pem`, key: `${path}.key` };
    Deno.writeTextFileSync(`${path}.ext`, extensions);
    await openssl(
      ...["req", "-new", ...NEW_KEY, "-subj", `/CN=${name}`],
      ...["-keyout", pair.key, "-out", `${path}.csr`],
    );
    await openssl(
      ...["x509", "-req", "-in", `${path}.csr`, "-CA", this.cert, ...DAYS],
      ...["-CAkey", `${this.#directory}/ca.key`, "-CAcreateserial"],
      ...["-extfile", `${path}.ext`, "-out", pair.cert],
    );
    return pair;
  }
}

/** Makes a key alone, in the form that kube-apiserver reads (SEC 1, not PKCS #8). */
export async function createKey(path: string): Promise<void> {
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path);
}

async function openssl(...args: readonly string[]): Promise<void> {
  await run("openssl", args);
}
