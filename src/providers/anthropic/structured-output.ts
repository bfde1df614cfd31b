import type { Problem } from "../../core/problems.ts";
import { refused } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import { reducedSchema } from "./reduced-schema.ts";

/**
 * Name of the tool through which models without structured output give their JSON. Reserved: an answer that calls it
 * is content and not a tool call, which the reader of the answer knows by this name alone.
 */
export const jsonHelperName = "skillboss_json_output";

/** The ways to ask for JSON; at most one is set. */
export type JsonOutput = {
  readonly format?: Block;
  readonly helper?: Block;
  readonly instruction?: string;
};

export function jsonOutputOf({ request, target }: Conversion): JsonOutput {
  const format = request.response_format;
  switch (format?.type) {
    case undefined:
    case "text":
      return {};
    case "json_object":
      return {
        instruction:
          "Answer with one JSON object and nothing else: no text before or after it, no code fence.",
      };
    case "json_schema": {
      const { schema = { type: "object" }, description } = format.json_schema;
      if (target.capabilities.structuredOutput) {
        return { format: { type: "json_schema", schema: reducedSchema(schema) } };
      }
      // Offered without force, the tool would be no promise of JSON.
      if (!target.capabilities.forcedTools) throw notTaken();
      if (schema["type"] !== "object") {
        const param = "response_format.json_schema.schema";
        throw refused(param, "This model takes schemas of type `object` only.");
      }
      return {
        helper: {
          name: jsonHelperName,
          description: description ?? "Gives the answer. Call it once, with the whole answer.",
          input_schema: schema,
        },
      };
    }
    default:
      throw notTaken();
  }
}

function notTaken(): Problem {
  return refused("response_format.type", "This model does not take this response format.");
}
