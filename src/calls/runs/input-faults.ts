import type { ErrorObject } from "ajv/dist/2020.js";
import type { JsonObject } from "../../core/json-object.ts";
import type { RunModel } from "../../core/model.ts";
import { Problem } from "../../core/problems.ts";
import { readInputs, schemaFaults } from "./run-inputs.ts";

/** What a model says of its inputs. */
export type DescribedInputs = Pick<RunModel, "inputs" | "inputAliases"> & {
  readonly example: JsonObject | undefined;
};

/** What is wrong with a model's inputs, before anybody asks for it: no JSON Schema, or an example that it refuses. */
export function inputFaults(described: DescribedInputs): readonly InputFault[] {
  const told = schemaFaults(described.inputs);
  if (told.length > 0) return told.map(schemaFault);
  if (described.example === undefined) return [];
  try {
    readInputs(described, described.example);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { param, message } = error;
    const at = param ?? "inputs";
    const start = `${at}: `;
    return [
      {
        path: at.replace(/^inputs/, "example"),
        message: message.startsWith(start) ? message.slice(start.length) : message,
      },
    ];
  }
}

export type InputFault = { readonly path: string; readonly message: string };

function schemaFault({ instancePath, message }: Pick<ErrorObject, "instancePath" | "message">): InputFault {
  const path = instancePath.replaceAll(/\/(\d+)(?=\/|$)/g, "[$1]").replaceAll("/", ".");
  return { path: `inputs${path}`, message: `is no JSON Schema: ${message ?? "not valid"}` };
}
