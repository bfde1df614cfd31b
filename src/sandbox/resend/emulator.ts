import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsResend } from "./errors.ts";
import { sendEmail } from "./send-email.ts";

/** Resend, https://api.resend.com. */
export const resend: Emulator = {
  credentials: [bearer],
  routes: [{ method: "POST", path: "/emails", answer: sendEmail }],
  refuse: refuseAsResend,
};
