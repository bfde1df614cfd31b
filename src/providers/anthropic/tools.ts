import type { ChatTool, ToolChoice } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { cacheMark, refused } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import { reducedSchema } from "./reduced-schema.ts";
import { jsonHelperName } from "./structured-output.ts";
import type { Turn } from "./turns.ts";

export type ToolUse = {
  readonly tools: readonly Block[];
  readonly choice: Block | undefined;
  /** The model must call a tool; thinking is refused then. */
  readonly isForced: boolean;
};

type Tool = { readonly name: string; readonly block: Block };
type Choice = { readonly type: "auto" | "none" | "any" } | { readonly type: "tool"; readonly name: string };
type Offered = { readonly tools: readonly Tool[]; readonly choice: Choice | undefined };

/** `helper` is the tool that takes JSON output, `turns` the conversation with its earlier calls. */
export function toolUseOf(
  conversion: Conversion,
  { helper, turns }: { readonly helper: Block | undefined; readonly turns: readonly Turn[] },
): ToolUse {
  const asked = takenChoice(conversion, chosen(conversion, toolsOf(conversion)));
  const { tools, choice } = withToolsOfHistory(withHelper(asked, helper), turns);
  const sentTools = tools.map(({ block }) => block);
  return { tools: sentTools, choice: oneAtATime(conversion, tools, choice), isForced: isForcing(choice) };
}

function isForcing(choice: Choice | undefined): boolean {
  return choice?.type === "any" || choice?.type === "tool";
}

/**
 * A model that cannot be made to call a tool gets all of them with a free choice, and its customer is told. An instruction
 * in words in its place would be gone from the next request, and thinking is bound to all that stood before it.
 * https://platform.claude.com/docs/en/models/fable-5-1/whats-new-fable-5-1
 */
function takenChoice({ target, changed }: Conversion, { tools, choice }: Offered): Offered {
  if (target.capabilities.forcedTools || !isForcing(choice)) return { tools, choice };
  changed.add("tool_choice");
  return { tools, choice: undefined };
}

function toolsOf(conversion: Conversion): readonly Tool[] {
  const tools = conversion.request.tools ?? [];
  if (tools.length > 0 && !conversion.target.capabilities.tools) {
    throw refused("tools", "This model does not take tools.");
  }
  return tools.map((tool, index) => toolOf(tool, `tools[${index}]`, conversion));
}

function toolOf(tool: ChatTool, path: string, { target, dropped }: Conversion): Tool {
  if (tool.type !== "function")
    throw refused(`${path}.type`, "This model takes tools of type `function` only.");
  const { function: called } = tool;
  const { name, description, parameters, strict } = called;
  if (name === jsonHelperName) throw refused(`${path}.function.name`, "This name is reserved.");
  const isStrict = strict === true && target.capabilities.structuredOutput;
  const schema = { type: "object", ...(parameters ?? { properties: {} }) };
  const block = {
    name,
    description,
    input_schema: isStrict ? reducedSchema(schema) : schema,
    ...(isStrict ? { strict } : {}),
    ...cacheMark(called, dropped),
    ...cacheMark(tool, dropped),
  };
  return { name, block };
}

/** Resolves `tool_choice`, which may also narrow the tools. */
function chosen({ request }: Conversion, tools: readonly Tool[]): Offered {
  const choice = request.tool_choice ?? undefined;
  if (choice === undefined || choice === "auto") return { tools, choice: undefined };
  if (choice === "none") return { tools, choice: tools.length === 0 ? undefined : { type: "none" } };
  if (tools.length === 0) throw refused("tool_choice", "A choice of tools needs `tools`.");
  if (choice === "required") return { tools, choice: { type: "any" } };
  if (choice.type === "allowed_tools") return allowed(choice, tools);
  const name = functionName(choice);
  if (name === undefined || !tools.some((tool) => tool.name === name)) {
    throw refused("tool_choice", "`tool_choice` names no function of `tools`.");
  }
  return { tools, choice: { type: "tool", name } };
}

function allowed(choice: Exclude<ToolChoice, string>, tools: readonly Tool[]): Offered {
  const param = "tool_choice.allowed_tools";
  const told = "allowed_tools" in choice ? choice["allowed_tools"] : undefined;
  if (!isJsonObject(told) || !Array.isArray(told["tools"]))
    throw refused(param, "There are no allowed tools.");
  const names = new Set(told["tools"].map(functionName));
  const left = tools.filter(({ name }) => names.has(name));
  if (left.length === 0) throw refused(param, "None of the allowed tools is in `tools`.");
  return { tools: left, choice: told["mode"] === "required" ? { type: "any" } : undefined };
}

function functionName(choice: unknown): string | undefined {
  if (!isJsonObject(choice) || !isJsonObject(choice["function"])) return undefined;
  const { name } = choice["function"];
  return typeof name === "string" ? name : undefined;
}

/** A call the customer forces comes before the JSON answer, so the helper is not offered then. */
function withHelper({ tools, choice }: Offered, helper: Block | undefined): Offered {
  if (helper === undefined || isForcing(choice)) return { tools, choice };
  const isAlone = tools.length === 0 || choice?.type === "none";
  const withIt = [...tools, { name: jsonHelperName, block: helper }];
  return { tools: withIt, choice: isAlone ? { type: "tool", name: jsonHelperName } : { type: "any" } };
}

/**
 * Calls in the history need their tools declared, also when the customer offers none any more: declared, not callable.
 * https://github.com/anthropics/anthropic-sdk-python/issues/494
 */
function withToolsOfHistory({ tools, choice }: Offered, turns: readonly Turn[]): Offered {
  if (tools.length > 0) return { tools, choice };
  const used = turns.flatMap(({ content }) => content.filter(({ type }) => type === "tool_use"));
  const names = new Set(used.map(({ name }) => String(name)));
  if (names.size === 0) return { tools, choice };
  const declared = [...names].map((name) => ({ name, block: { name, input_schema: { type: "object" } } }));
  return { tools: declared, choice: { type: "none" } };
}

function oneAtATime({ request }: Conversion, tools: readonly Tool[], choice?: Choice): Block | undefined {
  const isHelperForced = choice?.type === "tool" && choice.name === jsonHelperName;
  const wanted = request.parallel_tool_calls === false || isHelperForced;
  if (!wanted || tools.length === 0 || choice?.type === "none") return choice;
  return { ...(choice ?? { type: "auto" }), disable_parallel_tool_use: true };
}
