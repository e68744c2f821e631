/**
 * Why requests fail: `error-code`, out of what `fetch` throws on each runtime.
 *
 * @module
 */

/** `error-code`. */
export interface ErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** An error that no other code stands for. */
export function internalError(text: string): ErrorCode {
  return { tag: "internal-error", val: text };
}

/** The error where guests cannot be suspended. */
export function cannotSuspend(): ErrorCode {
  return internalError(
    "this runtime cannot suspend a guest while it waits for a response: it has no JSPI. Use Node " +
      "from 24.20 on, Deno, Bun or Chromium",
  );
}

/** The host is not known. */
const NO_NAME: ErrorCode = { tag: "DNS-error", val: { rcode: "NXDOMAIN", infoCode: undefined } };

/** By the `code` of an error or of what caused it. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: { tag: "DNS-timeout" },
  ECONNREFUSED: { tag: "connection-refused" },
  ConnectionRefused: { tag: "connection-refused" },
  ECONNRESET: { tag: "connection-terminated" },
  EPIPE: { tag: "connection-terminated" },
  UND_ERR_SOCKET: { tag: "connection-terminated" },
  ETIMEDOUT: { tag: "connection-timeout" },
  UND_ERR_CONNECT_TIMEOUT: { tag: "connection-timeout" },
  UND_ERR_HEADERS_TIMEOUT: { tag: "connection-read-timeout" },
  UND_ERR_BODY_TIMEOUT: { tag: "connection-read-timeout" },
  UND_ERR_HEADERS_OVERFLOW: { tag: "HTTP-response-header-section-size", val: undefined },
  EHOSTUNREACH: { tag: "destination-IP-unroutable" },
  ENETUNREACH: { tag: "destination-IP-unroutable" },
  EPROTO: { tag: "TLS-protocol-error" },
  ERR_ACCESS_DENIED: { tag: "HTTP-request-denied" },
  ERR_TLS_CERT_ALTNAME_INVALID: { tag: "TLS-certificate-error" },
};

/** By what is in the text of an error, for runtimes that give no code. */
const TEXTS: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/connection refused/i, { tag: "connection-refused" }],
  [/dns error|failed to lookup|name or service not known|no such host/i, NO_NAME],
  [/certificate|cert_/i, { tag: "TLS-certificate-error" }],
  [/ssl|tls|corrupt message/i, { tag: "TLS-protocol-error" }],
  [/requires net access|permission/i, { tag: "HTTP-request-denied" }],
  [/bad port|ports? .*blocked/i, { tag: "HTTP-request-denied" }],
  [/timed out/i, { tag: "connection-timeout" }],
  [/unreachable/i, { tag: "destination-IP-unroutable" }],
  [/closed|reset|terminated|reading a body/i, { tag: "connection-terminated" }],
  [/invalid http|parse|HPE_/i, { tag: "HTTP-protocol-error" }],
];

/** What an error of `fetch`, or of the stream of its response, is. */
export function errorCodeOf(error: unknown): ErrorCode {
  const texts: string[] = [];
  let at = error as { code?: unknown; message?: unknown; cause?: unknown } | undefined;
  for (let depth = 0; typeof at === "object" && at !== null && depth < 8; depth++) {
    const { code, message } = at;
    if (typeof code === "string") {
      if (Object.hasOwn(CODES, code)) return CODES[code]!;
      texts.push(code);
    }
    if (typeof message === "string") texts.push(message);
    at = at.cause as typeof at;
  }
  const text = texts.join(": ");
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? internalError(text);
}
