"use strict";
// node bin/run.cjs FILE.ts [arguments]: runs a development script of ours with runtime and tools in place.
require("./runtime.cjs").run(process.argv[2], process.argv.slice(3), { withDevelopment: true });
