/** What an address is about, read from its last part. */
export type Kind =
  | { readonly is: "account" }
  | { readonly is: "transcript" }
  | { readonly is: "audience" }
  | { readonly is: "comments"; readonly list: string }
  | { readonly is: "list"; readonly list: string }
  | { readonly is: "thing" };

const accounts = new Set(
  (
    "profile basic-profile channel user artist company group community details region shop audience " +
    "linktree komi pillar linkbio linkme podcast"
  ).split(" "),
);
/** Lists whose address is not called as what is in them. */
const lists: Readonly<Record<string, string>> = {
  "user-tweets": "tweets",
  "channel-videos": "videos",
  "community-posts": "posts",
  "tagged-posts": "posts",
  "pull-requests": "pull_requests",
  "get-trending-feed": "videos",
  activity: "activity",
  contributions: "contributions",
  followers: "users",
  following: "users",
  hashtag: "posts",
  keyword: "videos",
  popular: "posts",
  profiles: "users",
  search: "results",
  showcase: "products",
  suggestions: "suggestions",
  subreddit: "posts",
  top: "posts",
  trending: "videos",
  typeahead: "suggestions",
};
const plurals = new Set(
  (
    "ads advertisers albums boards companies developers episodes events highlights lives photos playlists posts " +
    "products reels repositories reviews shorts sponsors tracks tweets users videos"
  ).split(" "),
);

/** By the parts of an address below its version, such as `["youtube", "video", "comments"]`. */
export function kindOf(parts: readonly string[]): Kind {
  const [last = "", before = ""] = parts.toReversed();
  if (last === "transcript") return { is: "transcript" };
  if (last === "audience") return { is: "audience" };
  if (last === "comments" || last === "replies") return { is: "comments", list: last };
  const list = plurals.has(last) ? last : lists[last];
  if (list !== undefined) return { is: "list", list: before === "creators" ? "creators" : list };
  return accounts.has(last) ? { is: "account" } : { is: "thing" };
}
