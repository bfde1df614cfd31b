import { providerVariable } from "./config.ts";
import type { Config } from "./config.ts";
import type { Provider } from "./core/model.ts";
import { ServiceAccount } from "./providers/service-account.ts";
import type { Connection } from "./providers/upstream.ts";

/** What the operator says about an account at a provider, by the names that the catalog gives it. */
export type Settings = Readonly<Record<string, string>>;

/** The address and credential of a provider for live calls, as configured; undefined when something is missing. */
export type Access = { readonly connection: Connection; readonly settings: Settings };

export function liveAccess(provider: Provider, config: Config, purpose: "chat" | "run"): Access | undefined {
  const { apiKey, baseUrl: own } = config.provider(provider.id, provider.keyVariable);
  const usual = purpose === "run" ? (provider.runBaseUrl ?? provider.baseUrl) : provider.baseUrl;
  const settings = settingsOf(provider, config);
  const baseUrl = own === undefined ? usual : addressFor(purpose, own, provider);
  if (baseUrl === undefined || settings === undefined) return undefined;
  if (apiKey === undefined && provider.keyOptional !== true) return undefined;
  return {
    connection: {
      baseUrl: filled(baseUrl.replace(/\/+$/, ""), settings),
      credential: credentialOf(provider, apiKey, settings),
    },
    settings,
  };
}

/** Where chats and runs have different addresses, the one that the operator gives is that of chats: `…/v1`. */
function addressFor(purpose: "chat" | "run", own: string, { baseUrl, runBaseUrl }: Provider): string {
  if (purpose === "chat" || baseUrl === undefined || runBaseUrl === undefined) return own;
  const [trimmed, more] = [own.replace(/\/+$/, ""), baseUrl.slice(runBaseUrl.length)];
  return baseUrl.startsWith(runBaseUrl) && trimmed.endsWith(more)
    ? trimmed.slice(0, trimmed.length - more.length)
    : own;
}

/** The same in test mode: any secret will do, and the address is the sandbox's. */
export function sandboxAccess(provider: Provider, baseUrl: string): Access {
  const settings = Object.fromEntries(provider.settings.map(({ name, sandbox }) => [name, sandbox]));
  const isAccount = provider.auth?.type === "google-service-account";
  const credential = isAccount
    ? { header: "Authorization", value: "Bearer sandbox" }
    : credentialOf(provider, "sandbox", settings);
  return { connection: { baseUrl, credential }, settings };
}

/** The variables that are missing for the provider to be reached. */
export function missingVariables(provider: Provider, config: Config): readonly string[] {
  const { apiKey, baseUrl } = config.provider(provider.id, provider.keyVariable);
  const key = provider.keyVariable ?? providerVariable(provider.id, "API_KEY");
  const needsAddress = provider.baseUrl === undefined && baseUrl === undefined;
  return [
    ...(needsAddress ? [providerVariable(provider.id, "BASE_URL")] : []),
    ...(apiKey === undefined && provider.keyOptional !== true ? [key] : []),
    ...provider.settings
      .filter((setting) => setting.isRequired && config.variable(setting.variable) === undefined)
      .map((setting) => setting.variable),
  ];
}

function settingsOf(provider: Provider, config: Config): Settings | undefined {
  const settings: Record<string, string> = {};
  for (const { name, variable, isRequired } of provider.settings) {
    const value = config.variable(variable);
    if (value !== undefined) settings[name] = value;
    else if (isRequired) return undefined;
  }
  return settings;
}

/** `{region}` in an address is a setting. */
function filled(address: string, settings: Settings): string {
  return address.replaceAll(/\{([a-z0-9_]+)\}/g, (_, name: string) => settings[name] ?? "");
}

/** How the provider's secret is worn there. */
function credentialOf(
  { auth }: Provider,
  secret: string | undefined,
  settings: Settings,
): Connection["credential"] {
  if (auth === undefined || secret === undefined) return undefined;
  const setting = (name: string): string => settings[name] ?? "";
  switch (auth.type) {
    case "header":
      return { header: auth.header, value: auth.prefix + secret };
    case "query":
      return { query: auth.parameter, value: secret };
    case "basic": {
      const pair = Buffer.from(`${setting(auth.user)}:${secret}`).toString("base64");
      return { header: "Authorization", value: `Basic ${pair}` };
    }
    case "sigv4": {
      const { service, region, accessKey, sessionToken: token } = auth;
      const sessionToken = token === undefined || setting(token) === "" ? undefined : setting(token);
      return { service, region: setting(region), accessKey: setting(accessKey), secret, sessionToken };
    }
    case "jwt-hs256":
      return { issuer: setting(auth.issuer), secret };
    case "google-service-account":
      return new ServiceAccount(secret, auth.scope);
  }
}
