import fc from "fast-check";
import type { Expression } from "../../core/endpoint.ts";

/** Names are few, so that paths often meet something. */
const member = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "length");
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -2.5,
    1e308,
    "",
    "a",
    "5s",
    "x y",
    "data:image/png;base64,aGk=",
  ),
  fc.constantFrom<unknown>(
    "$.env.secret",
    "{inputs.a}",
    "https://e.example/x?y=1",
    "\ud800",
    "\u0000",
    "../..",
  ),
  fc.string({ maxLength: 8 }),
);
const evil = fc.constantFrom<unknown>(
  { $if: [true, "$.env.secret"] },
  { $file: { url: "http://169.254.169.254/" } },
  { $upload: { base64: "aGk=" } },
  { $default: ["$.inputs.a"] },
);

/** JSON of a few levels, with values that look like expressions and marks. */
export const anyData: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    evil,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(member, tie("value")), { maxLength: 4, selector: ([name]) => name })
      .map(objectOf),
  ),
})).value;

function objectOf(members: readonly (readonly [string, unknown])[]): unknown {
  return Object.fromEntries(members);
}

const step = fc.oneof(
  member.map((name) => `.${name}`),
  fc.constantFrom("[0]", "[1]", "[*]"),
);

function pathFrom(roots: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...roots), fc.array(step, { maxLength: 3 }))
    .map(([root, steps]) => `$.${root}${steps.join("")}`);
}

const ofOne = [
  "$not",
  "$len",
  "$ceil",
  "$num",
  "$str",
  "$array",
  "$first",
  "$lower",
  "$hex",
  "$json",
  "$parse",
].concat(["$base64of", "$mimeof", "$seconds", "$entries"]);
const ofTwo = ["$ne", "$eq", "$gt", "$in", "$sub", "$div", "$join", "$split"];
const ofMany = ["$default", "$and", "$or", "$add", "$mul", "$max", "$min", "$concat", "$merge"];

/** Expressions over these names, right more often than not; whoever compiles them passes over those with faults. */
export function anyExpression(roots: readonly string[]): fc.Arbitrary<Expression> {
  return fc.letrec<{ one: Expression }>((tie) => {
    const one = tie("one");
    const list = fc.array(one, { maxLength: 3 });
    const from = fc.oneof(pathFrom(roots), one);
    const named = (name: string, value: fc.Arbitrary<Expression>) =>
      value.map((inner) => ({ [name]: inner }));
    const mapOf = (list: fc.Arbitrary<Expression>) =>
      fc.constantFrom("i", "j", "k").chain((as) => {
        const to = fc.oneof(pathFrom([as, ...roots]), one);
        return named(
          "$map",
          fc.record(
            { from: list, as: fc.constant(as), to, when: to },
            { requiredKeys: ["from", "as", "to"] },
          ),
        );
      });
    return {
      one: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        pathFrom(roots),
        fc.constantFrom<Expression>(1, "a", "", true, null, 2.5),
        list,
        fc.dictionary(fc.constantFrom("a", "b", "c"), one, { maxKeys: 3 }),
        fc.constantFrom(...ofOne).chain((name) => named(name, one)),
        fc.constantFrom(...ofTwo).chain((name) => named(name, fc.tuple(one, one))),
        fc.constantFrom(...ofMany).chain((name) => named(name, fc.oneof(list, from))),
        named("$if", fc.tuple(one, one, one)),
        named(
          "$tpl",
          pathFrom(roots).map((path) => `x {${path.slice(2)}} y`),
        ),
        mapOf(from),
        mapOf(named("$array", from)),
        named("$pick", fc.record({ from, members: fc.constant(["a", "__proto__"]) })),
        named("$omit", fc.record({ from, members: fc.constant(["a"]) })),
        named("$enum", fc.record({ of: one, table: fc.constant({ a: "$.none", b: 1 }), else: one })),
        named("$dataurl", fc.record({ base64: one, mime: one })),
      ),
    };
  }).one;
}
