/** The chargeable things. A new unit of charge is one more line here. */
export const meters = [
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "output_tokens",
  "images",
  "megapixels",
  "video_seconds",
  "audio_seconds",
  "compute_seconds",
  "chars",
  "requests",
  "results",
  "pages",
  "emails",
  "messages",
  "searches",
  /** What a provider told that it charges us, in USD. */
  "upstream_usd",
] as const;

export type Meter = (typeof meters)[number];

/** How much of each meter a call used. Input meters exclude each other: a cached token is not also an input token. */
export type Usage = Readonly<Partial<Record<Meter, number>>>;
