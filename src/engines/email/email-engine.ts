import { Problem } from "../../core/problems.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { readAddress } from "./mail-address.ts";
import { readRelay } from "./mail-relay.ts";
import type { MailRelay, TlsPolicy } from "./mail-relay.ts";
import type { Senders } from "./read-letter.ts";

export type EmailSettings = {
  /** `SKILLBOSS_SMTP_URL`: smtp://user:password@host:587, or smtps://… for TLS from the first byte. */
  readonly smtpUrl: string | undefined;
  /** `SKILLBOSS_SMTP_FROM`: `name@example.com` or `Name <name@example.com>`. */
  readonly from: string | undefined;
  /** Domains whose addresses a customer may send from besides. */
  readonly allowedFromDomains: readonly string[];
  readonly tls: TlsPolicy;
  /** How long the relay may say nothing; a minute unless told otherwise. */
  readonly idleTimeoutMs?: number;
};

/**
 * Sends an e-mail by any SMTP relay: one connection for each, never a second attempt. A run fails with
 * `extra.outcome: "not_sent"` when the relay surely does not have the message and `"unknown"` when that cannot be known.
 */
export function emailEngine(settings: EmailSettings): Engine {
  const relay = settings.smtpUrl === undefined ? undefined : readRelay(settings.smtpUrl, settings.tls);
  const standard = settings.from === undefined ? undefined : readAddress(settings.from);
  const domains = settings.allowedFromDomains.map((domain) => domain.toLowerCase());
  const stopping = new AbortController();
  const open = new Set<Promise<unknown>>();

  const missing = () => {
    if (relay === undefined)
      return "Set SKILLBOSS_SMTP_URL to the server that takes your e-mail, such as smtps://user:password@mail.example.com:465.";
    if (standard === undefined)
      return "Set SKILLBOSS_SMTP_FROM to the sender of e-mails, such as Example <hello@example.com>.";
    return undefined;
  };

  return {
    name: "email",
    missing,
    run(context) {
      if (relay === undefined || standard === undefined)
        return Promise.reject(new Problem("provider_not_configured", { message: missing() ?? "" }));
      const signal = AbortSignal.any([context.signal, stopping.signal]);
      const run = sendLetter(
        { ...context, signal },
        { relay, idleTimeoutMs: settings.idleTimeoutMs ?? 60_000, senders: { standard, domains } },
      );
      open.add(run);
      return run.finally(() => open.delete(run));
    },
    /** What was not handed over is not sent; for the answers to the others is waited some seconds. */
    async stop() {
      stopping.abort(new Problem("shutting_down"));
      await Promise.allSettled(open);
    },
  };
}

type PostOffice = { readonly relay: MailRelay; readonly idleTimeoutMs: number; readonly senders: Senders };

async function sendLetter(context: EngineContext, office: PostOffice): Promise<EngineResult> {
  const { signal } = context;
  // The mail library is loaded with the first letter: most servers send none, and start sooner.
  const [{ readLetter, recipientsOf }, { writeLetter }, { deliver }] = await Promise.all([
    import("./read-letter.ts"),
    import("./write-letter.ts"),
    import("./deliver.ts"),
  ]);
  const letter = await readLetter(context, office.senders);
  const { messageId, bytes } = await writeLetter(letter);
  const { accepted, rejected, serverMessageId } = await deliver({
    relay: office.relay,
    from: letter.from.address,
    recipients: recipientsOf(letter),
    bytes,
    idleTimeoutMs: office.idleTimeoutMs,
    signal,
  });
  return {
    output: { message_id: serverMessageId ?? messageId, accepted: [...accepted], rejected: [...rejected] },
    files: [],
    usage: { emails: accepted.length },
  };
}
