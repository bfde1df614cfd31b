import MailComposer from "nodemailer/lib/mail-composer";
import type { Letter } from "./read-letter.ts";

export type WrittenLetter = {
  /** With its angle brackets, as it stands in the header. */
  readonly messageId: string;
  readonly bytes: Buffer;
};

/** The message as it goes over the wire. Blind copies are in no header; nothing in it is read from a file or an address. */
export async function writeLetter(letter: Letter): Promise<WrittenLetter> {
  const { from, to, cc, replyTo, subject, html, text, attachments } = letter;
  const message = new MailComposer({
    from,
    to: [...to],
    cc: [...cc],
    replyTo: [...replyTo],
    subject,
    html,
    text,
    attachments: attachments.map((attachment) => ({ ...attachment })),
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const messageId = message.messageId();
  return { messageId, bytes: await message.build() };
}
