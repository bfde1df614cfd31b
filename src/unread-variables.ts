import { nearNames } from "./catalog/near-names.ts";
import { readProviders } from "./catalog/read-files.ts";
import { commandVariables } from "./command-settings.ts";
import type { Environment } from "./command-settings.ts";
import { providerVariable, serverVariables } from "./config.ts";
import type { Log } from "./core/log.ts";

const prefix = "SKILLBOSS_";
/** Tells the server that it has a launcher. */
const launcherVariable = "SKILLBOSS_LAUNCHED";

/** One warning for each variable that bears our name and that nothing reads: what was meant is not in force. */
export function warnOfUnread(environment: Environment, directories: readonly string[], log: Log): void {
  const own = new Set([...serverVariables, ...commandVariables, launcherVariable]);
  const unknown = Object.entries(environment)
    .filter(([name, value = ""]) => name.startsWith(prefix) && value !== "" && !isOfCluster(name, value))
    .flatMap(([name]) => (own.has(name) ? [] : [name]));
  // The catalog is read for those alone that it may name.
  if (unknown.length === 0) return;
  const ofProviders = new Set(providerVariables(directories));
  const known = [...serverVariables, ...commandVariables, ...ofProviders];
  // What nearly all of them begin with tells nothing about likeness.
  const byRest = new Map(known.map((name) => [withoutPrefix(name), name]));
  const near = nearNames(byRest);
  for (const variable of unknown.filter((name) => !ofProviders.has(name))) {
    const nearest = byRest.get(near(withoutPrefix(variable), 1)[0] ?? "");
    const meant = nearest === undefined ? {} : { did_you_mean: nearest };
    log.warn({ variable, ...meant }, "nothing reads this variable of the environment");
  }
}

function withoutPrefix(name: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** Kubernetes and Docker set such variables of their own beside a service that is named skillboss. */
function isOfCluster(name: string, value: string): boolean {
  return /_SERVICE_(?:HOST|PORT)|_PORT_\d+_(?:TCP|UDP)/.test(name) || /^(?:tcp|udp):\/\//.test(value);
}

/** The catalog may name any variable. */
function providerVariables(directories: readonly string[]): readonly string[] {
  return readProviders(directories).flatMap(({ id, key_variable: key, settings }) => [
    key ?? providerVariable(id, "API_KEY"),
    providerVariable(id, "BASE_URL"),
    ...Object.values(settings).map((setting) => setting.variable),
  ]);
}
