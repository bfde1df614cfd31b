import type { IncomingHttpHeaders } from "node:http";
import { badRequest } from "../refusal.ts";

export type Version = "2023-06-01" | "2026-10-21";

/** The version header is required; only these two exist (platform.claude.com/docs/en/api/versioning). */
export function checkVersion(headers: IncomingHttpHeaders): Version {
  const version = headers["anthropic-version"];
  if (version === undefined) throw badRequest("The header anthropic-version is required.");
  if (version === "2023-06-01" || version === "2026-10-21") return version;
  throw badRequest(`${JSON.stringify(version)} is no version of this API.`);
}

/** What the generations of models differ in; an unknown name is taken for the newest. */
export type Generation = {
  /** Any sampling but the default is refused (models after 4.6). */
  readonly rejectsSampling: boolean;
  /** A final assistant turn is refused (from 4.6 on). */
  readonly rejectsPrefill: boolean;
  /** Thinking by a token budget (up to 4.6), and adaptive thinking (from 4.6 on). */
  readonly hasBudget: boolean;
  readonly hasAdaptive: boolean;
  /**
   * Thinking cannot be switched off: Fable, and Opus from 5.5 on.
   * https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5
   */
  readonly alwaysThinks: boolean;
  /**
   * Thinking is switched off by `between_tools` in place of `disabled` (Sonnet from 5.5 on).
   * https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5
   */
  readonly thinksBetweenTools: boolean;
  /**
   * `tool_choice` of `any` or `tool` is refused: Fable from 5.1 on, Opus and Sonnet from 5.5 on.
   * https://platform.claude.com/docs/en/models/fable-5-1/whats-new-fable-5-1
   */
  readonly rejectsForcedTools: boolean;
  /** `temperature` or `top_p`, not both (from 4.1 on; platform.claude.com/docs/en/api/messages). */
  readonly takesOneOfSampling: boolean;
  readonly mostTokens: number;
  /** An answer ends where the window does; older models refuse what might not fit (before 4.5). */
  readonly stopsAtWindow: boolean;
};

export function generationOf(model: string): Generation {
  const [, old] = /^claude-(\d)(?:[-.]\d)?-/.exec(model) ?? [];
  const [, major, minor] = /^claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model) ?? [];
  let version = Number.POSITIVE_INFINITY;
  if (old !== undefined) version = Number(old);
  else if (major !== undefined) version = Number(major) + Number(minor ?? 0) / 100;
  const isFable = model.startsWith("claude-fable-");
  return {
    rejectsSampling: version > 4.06,
    rejectsPrefill: version >= 4.06,
    hasBudget: version <= 4.06,
    hasAdaptive: version >= 4.06,
    alwaysThinks: isFable || (model.startsWith("claude-opus-") && version >= 5.05),
    thinksBetweenTools: model.startsWith("claude-sonnet-") && version >= 5.05,
    rejectsForcedTools: isFable ? version >= 5.01 : /^claude-(?:opus|sonnet)-/.test(model) && version >= 5.05,
    takesOneOfSampling: version >= 4.01,
    mostTokens: version >= 4.06 ? 128_000 : 64_000,
    stopsAtWindow: version >= 4.05,
  };
}
