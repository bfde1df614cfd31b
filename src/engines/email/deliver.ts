import SmtpConnection from "nodemailer/lib/smtp-connection";
import type { SMTPConnectionOptions } from "nodemailer";
import { deliveryProblem } from "./delivery-problem.ts";
import type { MailRelay } from "./mail-relay.ts";
import { MessageBody } from "./message-body.ts";

export type Posting = {
  readonly relay: MailRelay;
  readonly from: string;
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
  /** How long the server may say nothing. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
};

export type Delivered = {
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  /** The id that the server gave the message in place of ours, where it says so. */
  readonly serverMessageId: string | undefined;
};

const connectTimeoutMs = 15_000;
/** How long the server's answer is still waited for when a run is called off that nobody can call back any more. */
const answerGraceMs = 5_000;
const goodbyeMs = 1_000;

/**
 * Hands a message to the server over a connection of its own, once. When this throws, nothing was sent, unless the
 * problem says `outcome: "unknown"`: then the whole message was handed over and no answer came.
 */
export async function deliver(posting: Posting): Promise<Delivered> {
  const { relay, from, recipients, bytes, signal } = posting;
  signal.throwIfAborted();
  const connection = new SmtpConnection(optionsOf(posting));
  const message = new MessageBody(bytes);
  const over = new AbortController();
  signal.addEventListener("abort", () => callOff(connection, message), { once: true, signal: over.signal });
  try {
    await ready(connection, relay);
    return await send(connection, { from, to: [...recipients], size: bytes.length }, message);
  } catch (error) {
    if (signal.aborted && !message.isHandedOver) throw signal.reason;
    throw deliveryProblem(error, message.isHandedOver);
  } finally {
    over.abort();
    endSession(connection);
  }
}

function optionsOf({ relay, idleTimeoutMs }: Posting): SMTPConnectionOptions {
  return {
    host: relay.host,
    port: relay.port,
    secure: relay.isSecure,
    requireTLS: relay.requiresTls,
    tls: { rejectUnauthorized: relay.verifiesTls },
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    socketTimeout: idleTimeoutMs,
    socketCloseTimeout: goodbyeMs,
    logger: false,
  };
}

/** Connected, encrypted as the relay wants it, and logged in. */
function ready(connection: SmtpConnection, relay: MailRelay): Promise<void> {
  return new Promise((resolve, reject) => {
    rejectWhenOver(connection, reject);
    connection.connect((error) => {
      if (error) reject(error);
      else if (relay.login === undefined || !connection.allowsAuth) resolve();
      else connection.login(relay.login, (refused) => (refused ? reject(refused) : resolve()));
    });
  });
}

/** Stays for as long as the connection: what breaks after the message is delivered concerns nobody. */
function rejectWhenOver(connection: SmtpConnection, reject: (error: Error) => void): void {
  connection.on("error", reject);
  // Some refusals close the connection before they are told.
  connection.on("end", () => setImmediate(reject, new Error("the connection was closed")));
}

type Envelope = { readonly from: string; readonly to: string[]; readonly size: number };

function send(connection: SmtpConnection, envelope: Envelope, message: MessageBody): Promise<Delivered> {
  return new Promise((resolve, reject) => {
    rejectWhenOver(connection, reject);
    connection.send(envelope, message, (error, info) => {
      if (error) reject(error);
      else if (!message.isHandedOver) reject(new Error("the server answered to a message it does not have"));
      else resolve({ ...info, serverMessageId: info.serverMessageId });
    });
  });
}

function callOff(connection: SmtpConnection, message: MessageBody): void {
  if (!message.isHandedOver) connection.close();
  else setTimeout(() => connection.close(), answerGraceMs).unref();
}

function endSession(connection: SmtpConnection): void {
  if (connection.destroyed) return;
  if (connection.stage === "connected") connection.quit();
  const timer = setTimeout(() => connection.close(), goodbyeMs);
  connection.once("end", () => clearTimeout(timer));
}
