import { pick } from "./random.ts";
import type { Random } from "./random.ts";
import type { Topics } from "./topics.ts";

const greetings = [
  "Hello! How can I help you today?",
  "Hi there! What can I do for you?",
  "Hello! It is good to hear from you. What would you like to work on?",
];

const openings = [
  "Here is a short answer about {topics}.",
  "Let us look at {topics}.",
  "In brief, {topics} can be explained in a few words.",
  "You asked about {topics}; this is what matters.",
];

const sentences = [
  "The main point about {topic} is that it follows from a few simple rules.",
  "Most people meet {topic} long before they learn what it is called.",
  "It helps to begin with {topic} and to add one detail after another.",
  "A good example of {topic} says more than a long definition.",
  "What looks difficult in {topic} is often only a matter of the right order.",
  "In practice {topic} depends on time, care and a clear goal.",
  "There are several ways to think about {topic}, and each has its place.",
  "If something about {topic} stays unclear, take a smaller case and try again.",
  "Small changes to {topic} can have effects that show only later.",
  "The parts of {topic} work together, so none of them should be seen alone.",
];

const thoughts = [
  "The user asks about {topic}.",
  "I should keep the answer about {topic} short and clear.",
  "First I check what {topic} means here.",
  "Then I put the points about {topic} in order.",
  "Nothing here needs more than a few sentences on {topic}.",
];

const greeting =
  /^\s*(?:hi|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|hola|salut|bonjour|ciao)\b/i;
const echo =
  /\b(?:say|repeat|(?:reply|answer|respond) with)(?: (?:exactly|only|just|this|the words?))*:? +["“']?([^"”\n]{1,200}?)["”']?[.!]?$/i;

/** An endless answer to a prompt, sentence by sentence, the first ones the most to the point. */
export function* answerSentences(prompt: string, topics: Topics, random: Random): Generator<string> {
  const opening = openingOf(prompt, topics, random);
  yield opening.text;
  yield* endless(sentences, topics, random);
}

/** How many sentences a model would say unasked. */
export function fullLength(prompt: string, topics: Topics, random: Random): number {
  return openingOf(prompt, topics, () => 0).isWhole ? 1 : 2 + Math.floor(random() * 3);
}

export function* thoughtSentences(topics: Topics, random: Random): Generator<string> {
  yield* endless(thoughts, topics, random);
}

/** Says in words what tools gave back. */
export function resultSentence(results: readonly string[]): string {
  const shown = results.map((result) =>
    result.length > 400 ? `${result.slice(0, 400).toWellFormed()}…` : result,
  );
  return shown.length === 1
    ? `The tool answered: ${shown.join("")}`
    : `The tools answered: ${shown.map((result, at) => `(${at + 1}) ${result}`).join("; ")}`;
}

function openingOf(
  prompt: string,
  topics: Topics,
  random: Random,
): { readonly text: string; readonly isWhole: boolean } {
  if (prompt.length < 60 && greeting.test(prompt))
    return { text: pick(random, greetings, ""), isWhole: true };
  const echoed = prompt.length < 400 ? echo.exec(prompt.trim())?.[1] : undefined;
  if (echoed !== undefined) return { text: echoed, isWhole: true };
  const words = topics.words.slice(0, 3);
  const named = words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words[0];
  return { text: pick(random, openings, "").replace("{topics}", named ?? "your question"), isWhole: false };
}

function* endless(patterns: readonly string[], topics: Topics, random: Random): Generator<string> {
  const start = Math.floor(random() * patterns.length);
  for (let at = 0; ; at += 1) {
    const pattern = patterns[(start + at) % patterns.length] ?? "";
    yield pattern.replace("{topic}", () => pick(random, topics.words, "the question"));
  }
}
