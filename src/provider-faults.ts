import { providerOf } from "./catalog/build.ts";
import { readProviders } from "./catalog/read-files.ts";
import { providerVariable } from "./config.ts";
import type { Given } from "./config.ts";
import type { Provider, ProviderSetting } from "./core/model.ts";
import { AllowedList, bareHost } from "./egress/allowed-list.ts";
import { addressOf } from "./egress/addresses.ts";
import { isPublicHost, portOf } from "./egress/judge.ts";
import { ServiceAccount } from "./providers/service-account.ts";
import { headerValue, readBaseUrl } from "./providers/upstream-address.ts";

/**
 * What is wrong with the variables of the catalog's providers, by the same rules that a request to them goes by: one
 * line each, `VARIABLE: want …`. No line repeats a value: it may be a secret.
 */
export function providerFaults(directories: readonly string[], given: Given): readonly string[] {
  const { list: allowed, faults } = allowedBy(given);
  for (const facts of readProviders(directories)) {
    const provider = providerOf(facts);
    faults.push(...keyFaults(provider, given), ...settingFaults(provider, given));
    faults.push(...addressFaults(provider, given, allowed));
  }
  return [...new Set(faults)];
}

function allowedBy(given: Given): { readonly list: AllowedList; readonly faults: string[] } {
  const lines = (given["SKILLBOSS_EGRESS_ALLOW"] ?? "").split(",").map((line) => line.trim());
  try {
    return { list: new AllowedList(lines.filter((line) => line !== "")), faults: [] };
  } catch {
    const wish = "want hosts, host:port or networks, such as receiver.internal, 10.0.0.5:8080, 10.1.0.0/16";
    return { list: new AllowedList([]), faults: [`SKILLBOSS_EGRESS_ALLOW: ${wish}`] };
  }
}

function keyFaults({ id, keyVariable, auth }: Provider, given: Given): readonly string[] {
  const variable = keyVariable ?? providerVariable(id, "API_KEY");
  const key = given[variable];
  if (key === undefined) return [];
  if (auth?.type !== "google-service-account")
    return isWearable(key)
      ? []
      : [`${variable}: want the key alone, in one line of plain letters, digits and signs`];
  try {
    new ServiceAccount(key, auth.scope);
    return [];
  } catch {
    return [`${variable}: want a service account's key file as JSON text, with client_email and private_key`];
  }
}

/** Every way of wearing a credential takes what a header takes; a tab is a slip of the hand. */
function isWearable(text: string): boolean {
  return text !== "" && headerValue.test(text) && !text.includes("\t");
}

function settingFaults(provider: Provider, given: Given): readonly string[] {
  return provider.settings.flatMap((setting) => {
    const value = given[setting.variable];
    if (value === undefined) return [];
    if (!isPartOfAddress(provider, setting))
      return isWearable(value) ? [] : [`${setting.variable}: want one line of plain text`];
    return /^[\w.-]+$/.test(value) ? [] : [`${setting.variable}: want letters, digits, dots and dashes`];
  });
}

function isPartOfAddress({ baseUrl, runBaseUrl }: Provider, { name }: ProviderSetting): boolean {
  return [baseUrl, runBaseUrl].some((address) => address?.includes(`{${name}}`) === true);
}

function addressFaults(provider: Provider, given: Given, allowed: AllowedList): readonly string[] {
  const variable = providerVariable(provider.id, "BASE_URL");
  const own = given[variable];
  if (own !== undefined) {
    const wish =
      "want an http or https address without user, query or fragment, such as https://api.example.com/v1";
    return isReadable(own) ? [] : [`${variable}: ${wish}`];
  }
  const unsaid = [provider.baseUrl, provider.runBaseUrl].some(
    (address) => address !== undefined && isPrivate(address, allowed),
  );
  const wish = `want ${provider.id}'s address, which the catalog sets to a private one: name it here if that is meant`;
  return unsaid ? [`${variable}: ${wish}, or list its host in SKILLBOSS_EGRESS_ALLOW`] : [];
}

function isReadable(address: string): boolean {
  try {
    readBaseUrl(address);
    return true;
  } catch {
    return false;
  }
}

/** The operator's environment alone may say that credentials and prompts go into a private network. */
function isPrivate(address: string, allowed: AllowedList): boolean {
  const url = URL.parse(address.replaceAll(/[{}]/g, ""));
  if (url === null || isPublicHost(url.hostname)) return false;
  const host = bareHost(url.hostname);
  const port = portOf(url);
  const number = addressOf(host);
  return !(number === undefined ? allowed.opensName(host, port) : allowed.opensAddress(number, port));
}
