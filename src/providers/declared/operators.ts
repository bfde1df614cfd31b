import { choiceOperators } from "./operators-of-choice.ts";
import { encodingOperators } from "./operators-of-encoding.ts";
import { listOperators } from "./operators-of-lists.ts";
import { markOperators } from "./marks.ts";
import { numberOperators } from "./operators-of-numbers.ts";
import { objectOperators } from "./operators-of-objects.ts";
import { soundOperators } from "./operators-of-sound.ts";
import { textOperators } from "./operators-of-texts.ts";
import type { Operator } from "./operator-forms.ts";

/** All operators of expressions by name. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    choiceOperators,
    numberOperators,
    textOperators,
    listOperators,
    objectOperators,
    encodingOperators,
    soundOperators,
    markOperators,
  ].flatMap((group) => Object.entries(group)),
);
