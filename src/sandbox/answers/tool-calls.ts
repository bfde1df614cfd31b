import { fingerprintOf, randomFrom } from "./random.ts";
import type { Question, Tool } from "./question.ts";
import { freshEffort } from "./effort.ts";
import { fillSchema } from "./schema-filler.ts";
import type { Topics } from "./topics.ts";

export type PlannedCall = {
  readonly id: string;
  readonly name: string;
  /** JSON, or any text for a custom tool. */
  readonly arguments: string;
  readonly isCustom: boolean;
};

/** What a custom tool is given, in words. */
const customWords = 6;

/** Words of tool names that say what is done, not with what. */
const verbs = new Set(
  "add all and api call check create data delete do fetch find for from function get info list lookup make new query read run set show that the tool update use with write".split(
    " ",
  ),
);

/** An upper bound for one answer, whatever the prompt asks for. */
const mostCalls = 8;

/** The calls a model would make here; none when it would rather speak. `own` is the fingerprint of the answer. */
export function callsFor(question: Question, topics: Topics, own: string): readonly PlannedCall[] {
  const effort = freshEffort(question.choices);
  return chosenTools(question, topics).map(({ tool, subject }, index) => {
    const seed = fingerprintOf(`${own} call ${index}`);
    const words = [...subject, ...topics.words.filter((word) => !subject.includes(word))];
    const called = { id: seed.slice(0, 24), name: tool.name };
    if (tool.isCustom === true)
      return { ...called, isCustom: true, arguments: words.slice(0, customWords).join(" ") || "input" };
    const filled = fillSchema(tool.schema ?? {}, { random: randomFrom(seed), words, effort });
    return { ...called, isCustom: false, arguments: JSON.stringify(filled ?? {}) };
  });
}

type Chosen = { readonly tool: Tool; readonly subject: readonly string[] };

function chosenTools(question: Question, topics: Topics): readonly Chosen[] {
  const { tools, toolChoice, prompt } = question;
  const first = tools[0];
  if (first === undefined || toolChoice === "none") return [];
  if (typeof toolChoice === "object") {
    const named = tools.find((tool) => tool.name === toolChoice.name) ?? first;
    return [{ tool: named, subject: topics.things }];
  }
  if (toolChoice === "auto" && question.toolResults.length > 0) return [];
  const meant = toolsMeant(tools, prompt);
  const fitting = meant.length === 0 && toolChoice === "required" ? [first] : meant;
  return question.mayCallInParallel
    ? sideBySide(fitting, topics)
    : fitting.slice(0, 1).map((tool) => ({ tool, subject: topics.things }));
}

/** Several tools are called once each; one tool once for each thing that is asked for. */
function sideBySide(tools: readonly Tool[], topics: Topics): readonly Chosen[] {
  const [only] = tools;
  if (only === undefined) return [];
  if (tools.length > 1) return tools.slice(0, mostCalls).map((tool) => ({ tool, subject: topics.things }));
  return Array.from({ length: Math.min(topics.asked, mostCalls) }, (_, at) => {
    const thing = topics.things[at];
    return { tool: only, subject: thing === undefined || topics.asked === 1 ? topics.things : [thing] };
  });
}

/** Tools that the prompt names in full go before tools of which it only says a word. */
function toolsMeant(tools: readonly Tool[], prompt: string): readonly Tool[] {
  const text = prompt.slice(0, 4_000).toLowerCase();
  const named = tools.filter((tool) => text.includes(tool.name.toLowerCase()));
  if (named.length > 0) return named;
  const said = new Set(text.match(/[\p{L}\p{N}]+/gu) ?? []);
  const hinted = tools.filter((tool) =>
    wordsOfName(tool.name).some((word) => said.has(word) || said.has(`${word}s`)),
  );
  if (hinted.length > 0) return hinted;
  return /\b(?:use|call|invoke) (?:the|a|your|any) (?:tool|function)s?\b/.test(text) ? tools.slice(0, 1) : [];
}

function wordsOfName(name: string): readonly string[] {
  return name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2 && !verbs.has(word));
}
