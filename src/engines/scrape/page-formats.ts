export const pageFormats = ["markdown", "html", "rawHtml", "links", "images"] as const;
export type PageFormat = (typeof pageFormats)[number];
