/**
 * Loaded before the gateway (`--import`): the name servers of its host are the one that `TEST_NAME_SERVER` names, as if
 * /etc/resolv.conf said so.
 */
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const server = process.env["TEST_NAME_SERVER"];
const { Resolver } = dns.promises;

class TestResolver extends Resolver {
  constructor(...settings: ConstructorParameters<typeof Resolver>) {
    super(...settings);
    if (server !== undefined) this.setServers([server]);
  }
}

Object.assign(dns.promises, { Resolver: TestResolver });
syncBuiltinESMExports();
