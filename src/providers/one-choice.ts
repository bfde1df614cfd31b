import { Problem } from "../core/problems.ts";

/** For providers that give one choice, whatever `n` says. */
export function oneChoiceOnly(): Problem {
  return new Problem("invalid_request", {
    param: "n",
    message: "n: this model gives one answer per call; leave n out and call again for each further answer.",
  });
}
