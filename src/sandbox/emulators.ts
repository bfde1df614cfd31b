import type { Emulator } from "./emulator.ts";

/**
 * The emulators of the providers of runs, by the first part of their addresses: the provider's id. Each is loaded with the
 * first request to it, so that there may be many of them without a start taking longer.
 */
const emulators: ReadonlyMap<string, () => Promise<Emulator>> = new Map([
  ["apify", async () => (await import("./apify/emulator.ts")).apify],
  ["bfl", async () => (await import("./bfl/emulator.ts")).bfl],
  ["deepgram", async () => (await import("./deepgram/emulator.ts")).deepgram],
  ["elevenlabs", async () => (await import("./elevenlabs/emulator.ts")).elevenlabs],
  ["exa", async () => (await import("./exa/emulator.ts")).exa],
  ["fal", async () => (await import("./fal/emulator.ts")).fal],
  ["fal-run", async () => (await import("./fal/emulator.ts")).falSynchronous],
  ["firecrawl", async () => (await import("./firecrawl/emulator.ts")).firecrawl],
  ["gemini", async () => (await import("./google/emulator.ts")).google],
  ["google", async () => (await import("./google/emulator.ts")).google],
  ["hunter", async () => (await import("./hunter/emulator.ts")).hunter],
  ["kling", async () => (await import("./kling/emulator.ts")).kling],
  ["linkup", async () => (await import("./linkup/emulator.ts")).linkup],
  ["cohere", async () => (await import("./cohere/emulator.ts")).cohere],
  ["gamma", async () => (await import("./gamma/emulator.ts")).gamma],
  ["jina", async () => (await import("./jina/emulator.ts")).jina],
  ["mistral", async () => (await import("./mistral/emulator.ts")).mistral],
  ["resend", async () => (await import("./resend/emulator.ts")).resend],
  ["stripe", async () => (await import("./stripe/emulator.ts")).stripe],
  ["twilio", async () => (await import("./twilio/emulator.ts")).twilio],
  ["twilio-verify", async () => (await import("./twilio/emulator.ts")).twilioVerify],
  ["voyage", async () => (await import("./voyage/emulator.ts")).voyage],
  ["perplexity", async () => (await import("./perplexity/emulator.ts")).perplexity],
  ["local", async () => (await import("./local/emulator.ts")).local],
  ["minimax", async () => (await import("./minimax/emulator.ts")).minimax],
  ["luma", async () => (await import("./luma/emulator.ts")).luma],
  ["reducto", async () => (await import("./reducto/emulator.ts")).reducto],
  ["replicate", async () => (await import("./replicate/emulator.ts")).replicate],
  ["runway", async () => (await import("./runway/emulator.ts")).runway],
  ["scrapecreators", async () => (await import("./scrapecreators/emulator.ts")).scrapecreators],
  ["serper", async () => (await import("./serper/emulator.ts")).serper],
  ["ses", async () => (await import("./ses/emulator.ts")).ses],
  ["tavily", async () => (await import("./tavily/emulator.ts")).tavily],
]);

/** Whether an id has an emulator of its own; others are asked on OpenAI's wire. */
export function hasEmulator(provider: string): boolean {
  return emulators.has(provider);
}

const loaded = new Map<string, Promise<Emulator>>();
let onOpenaiWire: Promise<Emulator> | undefined;

/** The emulator under an id. Ids that are not known speak OpenAI's wire, chats and runs; Anthropic has chats only. */
export async function emulatorOf(provider: string): Promise<Emulator | undefined> {
  if (provider === "" || provider === "anthropic") return undefined;
  const load = emulators.get(provider);
  if (load === undefined) return await (onOpenaiWire ??= loadOpenaiRuns());
  const emulator = loaded.get(provider) ?? load();
  loaded.set(provider, emulator);
  return await emulator;
}

async function loadOpenaiRuns(): Promise<Emulator> {
  return (await import("./openai/runs/emulator.ts")).openaiRuns;
}
