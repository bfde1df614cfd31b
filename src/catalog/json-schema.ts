import { z } from "zod";
import { familyFile } from "./family.ts";
import { chatModelFile, providerFile, runModelFile } from "./schema.ts";

/** By the folder that they lie in: `providers`, `models`, `families`. */
const files = {
  provider: providerFile,
  model: z.union([runModelFile, chatModelFile]),
  family: familyFile,
} as const;

/**
 * The form of a file as JSON Schema (2020-12), for editors and for those who generate such files. What a schema cannot
 * say (that a path leads to something known, say) only `skillboss catalog check` knows.
 */
export function catalogJsonSchema(kind: keyof typeof files): object {
  return z.toJSONSchema(files[kind], { io: "input", unrepresentable: "any", target: "draft-2020-12" });
}
