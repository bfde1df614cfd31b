import type { Egress } from "../../egress/egress.ts";
import { fetchPage } from "./fetch-page.ts";
import type { FetchedPage, PageRequest } from "./fetch-page.ts";
import type { Robots } from "./robots.ts";

type Ways = { readonly egress: Pick<Egress, "fetch">; readonly robots: Robots };

/** Fetches a page where robots.txt allows it. Neither it nor what it redirects to is asked for without. */
export async function fetchAllowed({ egress, robots }: Ways, request: PageRequest): Promise<FetchedPage> {
  await robots.check(request);
  const beforeRedirect = (url: string): Promise<void> => robots.check({ ...request, url });
  return fetchPage(egress, { ...request, beforeRedirect });
}
