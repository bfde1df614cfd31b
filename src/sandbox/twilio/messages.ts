import { fingerprintOf } from "../answers/random.ts";
import { stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { checkRecipient, checkSender } from "./numbers.ts";
import { segmentsOf } from "./segments.ts";

const mostCharacters = 1_600;
let serial = 0;

/** POST /2010-04-01/Accounts/{account}/Messages.json: 201, queued, without a price yet. */
export function sendMessage(request: RunRequest): RunAnswer {
  const account = request.in("account");
  if (!/^AC[0-9a-z]{32}$/i.test(account)) throw new Refusal(404, "The requested resource was not found.");
  const form = request.form();
  const to = checkRecipient(form["To"]);
  const service = form["MessagingServiceSid"];
  const from = service === undefined ? checkSender(form["From"]) : null;
  const body = stringOr(form["Body"], "");
  if (body === "") throw new Refusal(400, "A message body is required.", { code: "21602" });
  if (body.length > mostCharacters) {
    throw new Refusal(400, `The message has more than ${mostCharacters} characters.`, { code: "21617" });
  }
  serial += 1;
  const sid = `SM${fingerprintOf(`${request.seed} ${request.now()} ${serial}`).slice(0, 32)}`;
  const time = new Date(request.now()).toUTCString().replace("GMT", "+0000");
  const message = {
    account_sid: account,
    api_version: "2010-04-01",
    body,
    date_created: time,
    date_sent: null,
    date_updated: time,
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from,
    messaging_service_sid: service ?? null,
    num_media: "0",
    // A service has not chosen the sender yet, and so not the segments.
    num_segments: service === undefined ? String(segmentsOf(body)) : "0",
    price: null,
    price_unit: "USD",
    sid,
    status: service === undefined ? "queued" : "accepted",
    subresource_uris: { media: `/2010-04-01/Accounts/${account}/Messages/${sid}/Media.json` },
    to,
    uri: `/2010-04-01/Accounts/${account}/Messages/${sid}.json`,
  };
  return json(message, { status: 201 });
}
