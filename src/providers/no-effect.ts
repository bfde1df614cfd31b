/**
 * What members of OpenAI's request are when they are left out: to leave such a value out changes nothing, and nobody is
 * told. https://platform.openai.com/docs/api-reference/chat/create
 */
const usualValues: ReadonlyMap<string, string | number | boolean> = new Map<
  string,
  string | number | boolean
>([
  ["n", 1],
  ["temperature", 1],
  ["top_p", 1],
  ["presence_penalty", 0],
  ["frequency_penalty", 0],
  ["logprobs", false],
  ["store", false],
  ["parallel_tool_calls", true],
  ["verbosity", "medium"],
  ["service_tier", "auto"],
]);

/** Whether a request with this member says the same as one without it. */
export function hasNoEffect(member: string, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (member === "stop") return Array.isArray(value) && value.length === 0;
  if (member === "modalities") return Array.isArray(value) && value.length === 1 && value[0] === "text";
  return usualValues.has(member) && usualValues.get(member) === value;
}
