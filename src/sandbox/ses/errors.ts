import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const types: Readonly<Record<number, string>> = {
  400: "BadRequestException",
  401: "UnrecognizedClientException",
  402: "AccountSuspendedException",
  403: "AccessDeniedException",
  404: "NotFoundException",
  409: "ConflictException",
  429: "TooManyRequestsException",
  500: "InternalServiceErrorException",
  503: "ServiceUnavailable",
};
/** Names of exceptions begin in upper case; codes of the frame and of field rules do not. */
const isException = /^[A-Z]/;

/** `{message}` with the exception's name in `x-amzn-errortype`. Missing and wrong credentials are a 403. */
export function refuseAsSes({ status, message, code }: Refusal): RunAnswer {
  if (code === "no_credential") return exception(403, "MissingAuthenticationTokenException", message);
  if (code === "bad_credential") {
    return exception(
      403,
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  }
  const named = code !== undefined && isException.test(code) ? code : types[status];
  return exception(status, named ?? "BadRequestException", message);
}

function exception(status: number, type: string, message: string): RunAnswer {
  return json({ message }, { status, headers: { "x-amzn-errortype": type } });
}
