/** Judges one address by a site's robots.txt, in a worker of the pool: rules with many wildcards take long. */
import robotsParser from "robots-parser";

export type RobotsQuestion = {
  readonly robotsUrl: string;
  readonly text: string;
  readonly url: string;
  readonly robot: string;
};

// Its types speak of a default export within the module; the module is the function itself.
const parse = robotsParser as unknown as typeof robotsParser.default;

export function work({ robotsUrl, text, url, robot }: RobotsQuestion): boolean {
  return parse(robotsUrl, text).isAllowed(url, robot) !== false;
}
