import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** The parts of a file's address that a signature binds together, as they came. */
export type FileLink = {
  readonly id: string;
  /** Seconds since 1970, in decimal digits. */
  readonly expires: string;
  readonly signature: string;
};

export type FileLinks = {
  /** The absolute address of a file's content: good for whoever has it, until the file expires. */
  urlOf(file: { readonly id: string; readonly expiresAt: Date }, publicUrl: string): string;
  /** The parts of an address that has our form, at whatever host; undefined for any other text. */
  linkIn(url: string): FileLink | undefined;
  /** Whether we signed it and it has not run out at `now`, in milliseconds since 1970. */
  isGood(link: FileLink, now: number): boolean;
};

/** Addresses that are their own credential, signed with a key that is derived from `secret` for this use alone. */
export function fileLinksOf(secret: string | Uint8Array): FileLinks {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "skillboss file links 1", 32));
  const sign = (id: string, expires: string): string =>
    createHmac("sha256", key).update(`${id}\n${expires}`, "utf8").digest("base64url");
  return {
    urlOf({ id, expiresAt }, publicUrl) {
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      const base = publicUrl.replace(/\/+$/, "");
      return `${base}/v1/files/${id}/content?expires=${expires}&signature=${sign(id, expires)}`;
    },
    linkIn(url) {
      if (!URL.canParse(url)) return undefined;
      const { pathname, searchParams } = new URL(url);
      const id = /\/v1\/files\/([^/]+)\/content$/.exec(pathname)?.[1];
      if (id === undefined) return undefined;
      return {
        id,
        expires: searchParams.get("expires") ?? "",
        signature: searchParams.get("signature") ?? "",
      };
    },
    isGood({ id, expires, signature }, now) {
      // Compared as text: the last character of base64url has bits that decoding ignores.
      const wanted = Buffer.from(sign(id, expires), "latin1");
      const given = Buffer.from(signature, "utf8");
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
      return Number(expires) * 1000 > now;
    },
  };
}
