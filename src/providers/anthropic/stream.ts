import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Usage } from "../../core/usage.ts";
import { shapeOf } from "../foreign-text.ts";
import { ServerEvents } from "../server-events.ts";
import type { AnswerView, ReportedUsage, StreamTranslation, UpstreamFault } from "../wire.ts";
import { parseObject, textOf } from "./exact-json.ts";
import { faultOfError, unreadable } from "./fault.ts";
import { finishReasonOf, refusalOf } from "./finish.ts";
import type { FinishReason } from "./finish.ts";
import { StreamedBlocks } from "./streamed-blocks.ts";
import { mergeCounts, promptUsageOf, reportedUsageOf } from "./usage.ts";
import type { Counts } from "./usage.ts";

/** Most events are ASCII, and to see that is quicker than to decode them. */
// oxlint-disable-next-line no-control-regex -- the range is the point: all that is more than ASCII
const beyondAscii = /[^\x00-\x7f]/;

/** A stream of Anthropic Messages as OpenAI frames. */
export class MessagesStream implements StreamTranslation {
  readonly encoding = "utf8";
  readonly #events = new ServerEvents((data) => this.#take(data));
  readonly #blocks: StreamedBlocks;
  #counts: Counts = {};
  /** The count of output tokens in `message_start` is no result yet. */
  #isOutputCounted = false;
  #stopReason: string | undefined;
  #complete = false;
  #fault: UpstreamFault | undefined;

  constructor(view: AnswerView) {
    this.#blocks = new StreamedBlocks(view);
  }

  push(bytes: Buffer): string {
    if (this.#isOver) return "";
    this.#events.push(bytes.toString("latin1"));
    return this.#taken();
  }

  end(): string {
    if (this.#isOver) return "";
    this.#events.end();
    return this.#taken();
  }

  closing(): string {
    if (!this.#complete) return "";
    return this.#blocks.frames.finish(this.#finish);
  }

  get ranOut(): boolean {
    return this.#finish === "length";
  }

  get #finish(): FinishReason {
    return finishReasonOf(this.#stopReason, this.#blocks.hasToolCalls);
  }

  get complete(): boolean {
    return this.#complete;
  }

  get terminated(): boolean {
    return this.#complete;
  }

  get fault(): UpstreamFault | undefined {
    return this.#fault;
  }

  get usage(): ReportedUsage | undefined {
    return this.#isOutputCounted ? reportedUsageOf(this.#counts) : undefined;
  }

  get promptUsage(): Usage | undefined {
    return promptUsageOf(this.#counts);
  }

  get hasOutput(): boolean {
    return this.#blocks.hasOutput;
  }

  outputText(): string {
    return this.#blocks.outputText();
  }

  get outputLength(): number {
    return this.#blocks.outputLength;
  }

  get #isOver(): boolean {
    return this.#complete || this.#fault !== undefined;
  }

  #taken(): string {
    if (this.#events.tooLong && !this.#isOver) this.#fault = unreadable("an event is too long");
    return this.#blocks.takeFrames();
  }

  #take(latin1: string): void {
    if (this.#isOver || latin1 === "[DONE]") return;
    const data = beyondAscii.test(latin1) ? Buffer.from(latin1, "latin1").toString("utf8") : latin1;
    const event = parseObject(data);
    if (event === undefined) this.#fault = unreadable(`an event is not a JSON object: ${shapeOf(data)}`);
    else this.#translate(event);
  }

  /** Goes by the data's own `type`: the `event:` line only repeats it, and some proxies drop it. */
  #translate(event: JsonObject): void {
    switch (event["type"]) {
      case "message_start":
        return this.#begin(event["message"]);
      case "content_block_start":
        return this.#blocks.start(event["index"], event["content_block"]);
      case "content_block_delta":
        return this.#blocks.delta(event["index"], event["delta"]);
      case "content_block_stop":
        return this.#blocks.stop(event["index"]);
      case "message_delta":
        return this.#conclude(event);
      case "message_stop":
        this.#blocks.stopAll();
        this.#complete = true;
        return;
      case "error":
        this.#fault = faultOfError(event["error"]);
    }
  }

  /** Broken proxies repeat `message_start`: the role is shown once, and counts from the end are not undone. */
  #begin(message: unknown): void {
    this.#blocks.begin();
    if (isJsonObject(message) && !this.#isOutputCounted) {
      this.#counts = mergeCounts(this.#counts, message["usage"]);
    }
  }

  #conclude(event: JsonObject): void {
    const usage = event["usage"];
    const told = mergeCounts({}, usage);
    this.#counts = mergeCounts(this.#counts, usage);
    if (told.output !== undefined) this.#isOutputCounted = true;
    const delta = event["delta"];
    if (!isJsonObject(delta)) return;
    this.#stopReason = textOf(delta["stop_reason"]) ?? this.#stopReason;
    const refusal = refusalOf(textOf(delta["stop_reason"]), delta["stop_details"]);
    if (refusal !== undefined) this.#blocks.refuse(refusal);
  }
}
