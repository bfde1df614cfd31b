import { createHmac } from "node:crypto";

export type SignedMessage = {
  /** The same in every try. */
  readonly id: string;
  readonly body: string;
  /** When it is sent: milliseconds since 1970. Receivers refuse what is minutes old, so every try has its own. */
  readonly at: number;
};

/**
 * The headers of Standard Webhooks. Each key signs the id, the time and the very bytes of the body; a receiver accepts
 * the message when one of the signatures is that of its secret.
 */
export function signedHeaders(
  { id, body, at }: SignedMessage,
  keys: readonly Buffer[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = keys.map((key) => {
    const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64");
    return `v1,${signature}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
