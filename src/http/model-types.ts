/**
 * The types that clients ask for models and usage by, beside those of the catalog in use: one that nothing has yet is a
 * fair question with an empty answer.
 */
export const modelTypes: readonly string[] = [
  "chat",
  "image",
  "video",
  "tts",
  "stt",
  "music",
  "sound",
  "search",
].concat(
  ["scraper", "email", "storage", "ppt", "presentation", "embedding", "rerank", "tools", "sms", "document"],
  ["social_data", "ui_generation", "payments", "other"],
);
