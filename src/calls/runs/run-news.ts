import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** The secret addresses at which providers tell us that there is news of a run. */
export type RunNews = {
  urlOf(runId: string): string | undefined;
  isGenuine(runId: string, token: string): boolean;
};

/** `publicUrl`: where the world reaches us; without it there are no such addresses. */
export function runNewsOf(secret: string, publicUrl: string | undefined): RunNews {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "skillboss run news 1", 32));
  const tokenOf = (runId: string): string => createHmac("sha256", key).update(runId).digest("base64url");
  return {
    urlOf: (runId) =>
      publicUrl === undefined ? undefined : `${publicUrl}/v1/run/${runId}/news/${tokenOf(runId)}`,
    isGenuine(runId, token) {
      const wanted = Buffer.from(tokenOf(runId), "latin1");
      const given = Buffer.from(token, "utf8");
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
  };
}
