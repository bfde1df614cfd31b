import { json } from "../../run-answer.ts";
import type { RunAnswer } from "../../run-answer.ts";
import { Refusal } from "../../refusal.ts";
import type { RunRequest } from "../../run-request.ts";
import { errorBody } from "../errors.ts";
import { refusalHeaders } from "../headers.ts";

/** What the frame and the rules of fields say, in the words of this wire. */
const codes: Readonly<Record<string, string | undefined>> = {
  no_credential: "invalid_api_key",
  bad_credential: "invalid_api_key",
  bad_json: undefined,
  missing: "missing_required_parameter",
  wrong_kind: "invalid_type",
  not_allowed: "invalid_value",
  too_small: "invalid_value",
  too_large: "invalid_value",
};

/** The same error object and headers as in a chat. */
export function refuseAsOpenai(refusal: Refusal, request: RunRequest): RunAnswer {
  const { status, message, param, code } = refusal;
  const known = code !== undefined && Object.hasOwn(codes, code) ? codes[code] : code;
  const told = new Refusal(status, message, {
    ...(param === undefined ? {} : { param }),
    ...(known === undefined ? {} : { code: known }),
  });
  return json(errorBody(status, told), { status, headers: refusalHeaders(status, request.seed) });
}
