import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { refuseAsSes } from "./errors.ts";
import { sendEmail } from "./send-email.ts";

/** Amazon SES, version 2, https://email.{region}.amazonaws.com. Signatures are looked at, not computed. */
export const ses: Emulator = {
  credentials: [{ kind: "sigv4", service: "ses" }],
  routes: [
    { method: "POST", path: "/v2/email/outbound-emails", answer: sendEmail },
    {
      method: "GET",
      path: "/v2/email/account",
      answer: () =>
        json({
          SendingEnabled: true,
          ProductionAccessEnabled: true,
          EnforcementStatus: "HEALTHY",
          SendQuota: { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 0 },
        }),
    },
  ],
  refuse: refuseAsSes,
  headers: (request) => ({ "x-amzn-requestid": request.seed.slice(0, 32) }),
};
