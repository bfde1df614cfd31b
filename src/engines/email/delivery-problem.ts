import type { NodemailerError } from "nodemailer";
import { Problem } from "../../core/problems.ts";
import type { ProblemDetails } from "../../core/problems.ts";

/**
 * Why a message was not delivered. After it was handed over, only a server's own refusal says that it was not taken;
 * whatever else happens then leaves the outcome unknown, and it is not sent again.
 */
export function deliveryProblem(error: unknown, isHandedOver: boolean): Problem {
  const failure: Partial<NodemailerError> = error instanceof Error ? error : {};
  const { code = "", responseCode = 0 } = failure;
  const isRefused = code === "EMESSAGE" && responseCode >= 400 && responseCode < 600;
  if (isHandedOver && !isRefused)
    return new Problem("outcome_unknown", {
      message:
        "The mail server was given this e-mail and did not say whether it took it. It was not sent again.",
      extra: { outcome: "unknown" },
      cause: error,
    });
  return responseCode > 0 ? refusal(failure, error) : breakdown(code, error);
}

/** The server said no. 5xx is final, 4xx may pass. */
function refusal(
  { code, command = "", responseCode = 0, rejected }: Partial<NodemailerError>,
  cause: unknown,
) {
  const isFinal = responseCode >= 500;
  if (command.startsWith("RCPT") && isFinal)
    return notSent("upstream_rejected_request", {
      message: "The mail server takes e-mail for none of these recipients.",
      param: "to",
      extra: { rejected },
      cause,
    });
  if ((code === "EMESSAGE" || command === "DATA") && isFinal)
    return notSent("upstream_rejected_request", { message: "The mail server refused this e-mail.", cause });
  if (command.startsWith("MAIL") && isFinal)
    return notSent("upstream_error", {
      message: "The mail server refused the sender of this e-mail.",
      cause,
    });
  return notSent("upstream_unavailable", {
    message: "The mail server does not take e-mail right now.",
    cause,
  });
}

/** Nothing was said, or nothing that could be understood. */
function breakdown(code: string, cause: unknown): Problem {
  switch (code) {
    case "EMESSAGE":
      return notSent("request_too_large", {
        message: "The e-mail is larger than the mail server takes.",
        cause,
      });
    case "ETLS":
      return notSent("upstream_unavailable", { message: "The mail server has no secure connection.", cause });
    case "ETIMEDOUT":
      return notSent("upstream_timeout", { message: "The mail server did not answer in time.", cause });
    default:
      return notSent("upstream_unavailable", { message: "The mail server could not be reached.", cause });
  }
}

type NotSentCode =
  | "upstream_rejected_request"
  | "upstream_unavailable"
  | "upstream_timeout"
  | "upstream_error"
  | "request_too_large";

function notSent(code: NotSentCode, { message = "", extra, ...details }: ProblemDetails): Problem {
  return new Problem(code, {
    ...details,
    message: `${message} Nothing was sent.`,
    extra: { outcome: "not_sent", ...extra },
  });
}
