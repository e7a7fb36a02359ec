/** How to reach the API and who we are there; PEM for certificates and keys. */
export interface ApiAccess {
  /** URLs of servers that are as good as each other, without a path. */
  readonly servers: readonly string[];
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must carry, where it is not that of the URL. */
  readonly serverName?: string;
  /** Takes any certificate. */
  readonly skipVerify: boolean;
  /** The header's value, such as `Bearer ...`. */
  readonly authorization?: string;
}

/**
 * Gives the access as it is now. Asked before every request: tokens, certificates and files change
 * while we run.
 */
export interface ApiAccessSource {
  current(): Promise<ApiAccess>;
}
