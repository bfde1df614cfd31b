import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/** No answer calls so many tools; from there on numbers are left as they came. */
const mostCalls = 1_024;

/**
 * The numbers of streamed tool calls. Clients put the fragments of a call together by `index`, and not every provider
 * tells a right one: Google leaves it out (https://github.com/THU-MAIC/OpenMAIC/issues/1556) or gives 0 to every call
 * (https://github.com/NousResearch/hermes-agent/issues/62937), as Ollama does
 * (https://github.com/ollama/ollama/issues/15457).
 */
export class CallNumbers {
  readonly #ofChoice = new Map<unknown, ChoiceCalls>();

  /** The choices with the right numbers; undefined when they have them, as nearly all do. */
  righted(choices: readonly JsonObject[]): readonly JsonObject[] | undefined {
    if (!choices.some((choice) => callsOf(choice) !== undefined)) return undefined;
    const righted = choices.map((choice) => this.#rightedChoice(choice));
    return righted.some((choice, at) => choice !== choices[at]) ? righted : undefined;
  }

  #rightedChoice(choice: JsonObject): JsonObject {
    const told = callsOf(choice);
    if (told === undefined) return choice;
    const place = choice["index"] ?? 0;
    const known = this.#ofChoice.get(place) ?? new ChoiceCalls();
    this.#ofChoice.set(place, known);
    const calls = told.map((call: unknown) => (isJsonObject(call) ? known.righted(call) : call));
    if (calls.every((call, at) => call === told[at])) return choice;
    const delta = isJsonObject(choice["delta"]) ? choice["delta"] : {};
    return { ...choice, delta: { ...delta, tool_calls: calls } };
  }
}

type Call = { readonly number: number; hasId: boolean; hasName: boolean };
type Fragment = { readonly index: number | undefined; readonly id: string; readonly isNamed: boolean };

/**
 * Under an index that is taken, only another id together with a name begins another call. Another id alone does not: LM
 * Studio has one for every fragment (https://github.com/NousResearch/hermes-agent/pull/5331), Poolside one for the first
 * and one for the rest (https://github.com/poolsideai/pool/issues/9). Nor does a name with the same id: Fireworks repeats
 * both (https://github.com/SillyTavern/SillyTavern/pull/5948).
 */
class ChoiceCalls {
  /** By index as told and id: some providers make the id of the tool's name. */
  readonly #byId = new Map<string, Call>();
  /** The last one under an index as told. */
  readonly #byIndex = new Map<number | undefined, Call>();
  readonly #taken = new Set<number>();
  #highest = -1;
  #last: Call | undefined;

  righted(call: JsonObject): JsonObject {
    const fragment = fragmentOf(call);
    const { index, id, isNamed } = fragment;
    const found = this.#byId.get(`${index} ${id}`) ?? this.#continued(fragment) ?? this.#begun(index);
    if (found === undefined) return call;
    if (id !== "" && !found.hasId) this.#byId.set(`${index} ${id}`, found);
    found.hasId ||= id !== "";
    found.hasName ||= isNamed;
    this.#byIndex.set(index, found);
    this.#last = found;
    return found.number === call["index"] ? call : { ...call, index: found.number };
  }

  /** The call that this is a further fragment of. */
  #continued({ index, id, isNamed }: Fragment): Call | undefined {
    const before = this.#byIndex.get(index);
    if (index === undefined) return isNamed ? undefined : (before ?? this.#last);
    const isOther = before?.hasId === true && before.hasName && id !== "" && isNamed;
    return isOther ? undefined : before;
  }

  #begun(index: number | undefined): Call | undefined {
    if (this.#taken.size === mostCalls) return undefined;
    const number = index === undefined || this.#taken.has(index) ? this.#highest + 1 : index;
    this.#taken.add(number);
    this.#highest = Math.max(this.#highest, number);
    return { number, hasId: false, hasName: false };
  }
}

function callsOf(choice: JsonObject): readonly unknown[] | undefined {
  const delta = choice["delta"];
  const calls = isJsonObject(delta) ? delta["tool_calls"] : undefined;
  return Array.isArray(calls) && calls.length > 0 ? calls : undefined;
}

function fragmentOf(call: JsonObject): Fragment {
  const { index, id } = call;
  return {
    index: typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : undefined,
    id: typeof id === "string" ? id : "",
    isNamed: hasName(call["function"]) || hasName(call["custom"]),
  };
}

function hasName(called: unknown): boolean {
  return isJsonObject(called) && typeof called["name"] === "string" && called["name"] !== "";
}
