import { between, fingerprintOf, pick, randomFrom } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";
import type { RunRequest } from "../run-request.ts";
import type { Hit } from "../web/hits.ts";
import { titleFrom } from "../web/prose.ts";

/** A hit as one of Google's verticals shows it. */
export type Thing = (hit: Hit, position: number, request: RunRequest) => JsonObject;

export const organic: Thing = ({ title, url, snippet, date }, position) => ({
  title,
  link: url,
  snippet,
  date,
  ...(position === 1 ? { sitelinks: [{ title: "About", link: `${new URL(url).origin}/about` }] } : {}),
  position,
});

export const news: Thing = (hit, position, request) => ({
  title: hit.title,
  link: hit.url,
  snippet: hit.snippet,
  date: hit.date,
  source: sourceOf(hit),
  imageUrl: pictureOf(hit, request),
  position,
});

export const image: Thing = (hit, position, request) => ({
  title: hit.title,
  imageUrl: pictureOf(hit, request),
  imageWidth: 640,
  imageHeight: 480,
  thumbnailUrl: request.fileUrl({ kind: "jpeg", seed: fingerprintOf(hit.url), width: 160, height: 120 }),
  thumbnailWidth: 160,
  thumbnailHeight: 120,
  source: sourceOf(hit),
  domain: new URL(hit.url).hostname,
  link: hit.url,
  googleUrl: `https://www.google.com/imgres?imgrefurl=${encodeURIComponent(hit.url)}`,
  position,
});

export const video: Thing = (hit, position, request) => ({
  title: hit.title,
  link: hit.url,
  snippet: hit.snippet,
  imageUrl: pictureOf(hit, request),
  duration: `${between(randomFrom(fingerprintOf(hit.url)), 1, 40)}:05`,
  source: sourceOf(hit),
  channel: sourceOf(hit),
  date: hit.date,
  position,
});

const streets = ["Main Street", "Station Road", "Market Square", "Mill Lane"];

export const place: Thing = (hit, position) => {
  const random = randomFrom(fingerprintOf(`${hit.url} ${position}`));
  return {
    position,
    title: `${sourceOf(hit)} ${position}`,
    address: `${between(random, 1, 120)} ${pick(random, streets, "Main Street")}`,
    latitude: 52.4 + between(random, 0, 2_000) / 10_000,
    longitude: 13.2 + between(random, 0, 4_000) / 10_000,
    rating: between(random, 35, 50) / 10,
    ratingCount: between(random, 3, 4_000),
    category: "Café",
    phoneNumber: `+49 30 ${between(random, 1_000_000, 9_999_999)}`,
    website: hit.url,
    cid: String(between(random, 1_000_000_000, 9_999_999_999)),
  };
};

export const mapPlace: Thing = (hit, position, request) => {
  const { category, ...shown } = place(hit, position, request);
  return {
    ...shown,
    type: category,
    types: [category, "Restaurant"],
    openingHours: { Monday: "8 AM–6 PM", Sunday: "Closed" },
    thumbnailUrl: pictureOf(hit, request),
    placeId: `ChIJ${fingerprintOf(hit.url).slice(0, 23)}`,
  };
};

export const paper: Thing = (hit, position) => {
  const random = randomFrom(fingerprintOf(`${hit.url} ${position}`));
  const year = between(random, 1_998, 2_026);
  return {
    title: hit.title,
    link: hit.url,
    publicationInfo: `A Author, B Writer - Journal of Examples, ${year} - ${sourceOf(hit)}`,
    snippet: hit.snippet,
    year,
    citedBy: between(random, 0, 900),
    pdfUrl: `${hit.url}.pdf`,
    id: fingerprintOf(hit.url).slice(0, 12),
    position,
  };
};

export const offer: Thing = (hit, position, request) => {
  const random = randomFrom(fingerprintOf(`${hit.url} ${position}`));
  return {
    title: hit.title,
    source: sourceOf(hit),
    link: hit.url,
    price: `$${between(random, 5, 900)}.99`,
    delivery: "Free delivery",
    imageUrl: pictureOf(hit, request),
    rating: between(random, 30, 50) / 10,
    ratingCount: between(random, 1, 5_000),
    offers: "3",
    productId: String(between(random, 1_000_000_000, 9_999_999_999)),
    position,
  };
};

function sourceOf({ url }: Hit): string {
  return titleFrom(new URL(url).hostname.replace(/\.[a-z]+$/, ""));
}

function pictureOf({ title, url }: Hit, request: RunRequest): string {
  return request.fileUrl({ kind: "jpeg", seed: fingerprintOf(`${title} ${url}`), width: 640, height: 480 });
}
