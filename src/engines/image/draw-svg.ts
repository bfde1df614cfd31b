import type { Sharp } from "sharp";
import { Problem } from "../../core/problems.ts";
import { black } from "./colour.ts";
import type { PictureJob } from "./picture-job.ts";
import { workSeconds } from "./picture-limits.ts";
import { sharpLibrary } from "./sharp-library.ts";
import { svgDocument, svgLine } from "./svg-text.ts";

/** Undefined: not looked yet. Fonts are found when the process first draws, so this does not change while it lives. */
let hasFonts: boolean | undefined;

/**
 * A picture from an SVG of ours that has text in it. A machine without fonts draws empty boxes or nothing and says so
 * nowhere: here it is a refusal that names the remedy.
 */
export async function drawSvg(job: PictureJob, svg: Buffer): Promise<Sharp> {
  hasFonts ??= await drawsLetters(job);
  if (!hasFonts)
    throw new Problem("service_unavailable", {
      message:
        "This server cannot draw text: its operator has to install a font (Debian: fonts-dejavu-core).",
    });
  return open(svg);
}

/** Where there are letters, no two of them look alike. */
async function drawsLetters({ atWork }: PictureJob): Promise<boolean> {
  const style = { family: "sans-serif", fontSize: 24, isBold: false, colour: black } as const;
  const pixels = async (letter: string) => {
    const line = svgLine(letter, style, { x: 4, anchor: "start", y: 26 });
    return open(svgDocument({ width: 40, height: 32 }, line))
      .raw()
      .toBuffer();
  };
  const [one, other] = await atWork(() => Promise.all([pixels("i"), pixels("W")]));
  return !one.equals(other);
}

function open(svg: Buffer): Sharp {
  return sharpLibrary()(svg).timeout({ seconds: workSeconds });
}
