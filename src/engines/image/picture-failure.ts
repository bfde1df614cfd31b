import { Problem } from "../../core/problems.ts";

/**
 * What the image library throws, as the customer may read it. All inputs are checked before it is called, so what it
 * still refuses is the content of the picture at `param`. Other errors stay what they are, and so do all where there is
 * no such picture.
 */
export function pictureFailure(error: unknown, param: string | undefined): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  if (error.message.startsWith("timeout"))
    return new Problem("upstream_timeout", { message: "The picture took too long to make.", cause: error });
  if (param === undefined) return error;
  return new Problem("invalid_request", {
    message: `${param} cannot be read: the picture is damaged or of a form that is not known here.`,
    param,
    cause: error,
  });
}
