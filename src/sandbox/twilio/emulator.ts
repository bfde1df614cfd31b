import { fingerprintOf } from "../answers/random.ts";
import type { Emulator } from "../emulator.ts";
import type { RunRequest } from "../run-request.ts";
import { refuseAsTwilio } from "./errors.ts";
import { sendMessage } from "./messages.ts";
import { checkVerification, startVerification } from "./verifications.ts";

const credentials = [{ kind: "basic" }] as const;
const headers = (request: RunRequest) => ({
  "twilio-request-id": `RQ${fingerprintOf(`${request.seed} ${request.now()}`).slice(0, 32)}`,
});

/** Twilio's messages, https://api.twilio.com. */
export const twilio: Emulator = {
  credentials,
  routes: [{ method: "POST", path: "/2010-04-01/Accounts/{account}/Messages.json", answer: sendMessage }],
  refuse: refuseAsTwilio,
  headers,
  usageNames: ["num_segments"],
};

/** Twilio Verify, https://verify.twilio.com: another host of the same account. */
export const twilioVerify: Emulator = {
  credentials,
  routes: [
    { method: "POST", path: "/v2/Services/{service}/Verifications", answer: startVerification },
    { method: "POST", path: "/v2/Services/{service}/VerificationCheck", answer: checkVerification },
  ],
  refuse: refuseAsTwilio,
  headers,
};
