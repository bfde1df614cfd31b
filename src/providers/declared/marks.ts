import type { Expression } from "../../core/endpoint.ts";
import { textOf } from "./json-values.ts";
import { membersOf, optionalMember } from "./operator-forms.ts";
import type { Operators } from "./operator-forms.ts";
import { dataUrlOf } from "./operators-of-encoding.ts";
import { faulty, missing } from "./place.ts";
import type { Evaluate, Place } from "./place.ts";
import type { FileMark } from "./run-wire.ts";

/**
 * Files within outputs and uploads are objects of these classes until the whole is written: data that merely looks like
 * a mark, from a customer or a provider, is never taken for one.
 */
export class MarkedFile {
  readonly #file: FileMark["$file"];
  constructor(file: FileMark["$file"]) {
    this.#file = file;
  }
  get mark(): FileMark {
    return { $file: this.#file };
  }
}

/** A file to be sent within a multipart body. */
export type UploadedFile = {
  readonly bytes: Buffer;
  readonly mime: string | undefined;
  readonly filename: string | undefined;
};

export class Upload {
  readonly #file: UploadedFile;
  constructor(file: UploadedFile) {
    this.#file = file;
  }
  get file(): UploadedFile {
    return this.#file;
  }
}

export const markOperators: Operators = {
  /** `{url | base64, mime?, name?}`: a file of the output that we store. Missing when there is no file. */
  $file: file,
  /** `{base64, filename?, mime?}`: a file part; `base64` may be a data URL. Missing when there is no content. */
  $upload: upload,
};

function file(argument: Expression, place: Place): Evaluate {
  if (place.marks !== "files") return faulty(place, "files are marked in outputs only");
  const members = membersOf(argument, place, { needed: [], known: ["url", "base64", "mime", "name"] });
  if (members === undefined) return missing;
  if (members["url"] === undefined && members["base64"] === undefined) {
    return faulty(place, "want a url or base64");
  }
  const url = optionalMember(members, "url", place);
  const base64 = optionalMember(members, "base64", place);
  const mime = optionalMember(members, "mime", place);
  const name = optionalMember(members, "name", place);
  return (scope) => {
    const named = filledText(name(scope));
    const ending = named === undefined ? {} : { name: named };
    const address = url(scope);
    if (isWebAddress(address)) return new MarkedFile({ url: address, ...ending });
    const given = base64(scope);
    // Some providers answer small files as data URLs.
    const inline = dataUrlOf(address) ?? dataUrlOf(given);
    const content = inline?.base64 ?? filledText(given);
    if (content === undefined) return undefined;
    const type = inline?.mediaType ?? filledText(mime(scope));
    return new MarkedFile({ base64: content, ...(type === undefined ? {} : { mime: type }), ...ending });
  };
}

function isWebAddress(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function filledText(value: unknown): string | undefined {
  const text = textOf(value);
  return text === "" ? undefined : text;
}

function upload(argument: Expression, place: Place): Evaluate {
  if (place.marks !== "uploads") return faulty(place, "files are sent in multipart bodies only");
  const members = membersOf(argument, place, { needed: ["base64"], known: ["base64", "filename", "mime"] });
  if (members === undefined) return missing;
  const base64 = optionalMember(members, "base64", place);
  const filename = optionalMember(members, "filename", place);
  const mime = optionalMember(members, "mime", place);
  return (scope) => {
    const content = base64(scope);
    const inline = dataUrlOf(content);
    const text = inline?.base64 ?? content;
    const bytes = typeof text === "string" ? Buffer.from(text, "base64") : Buffer.alloc(0);
    if (bytes.length === 0) return undefined;
    return new Upload({
      bytes,
      mime: textOf(mime(scope)) ?? inline?.mediaType,
      filename: textOf(filename(scope)),
    });
  };
}
