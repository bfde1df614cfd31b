"use strict";
require("./runtime.cjs").run("bin/check.ts", process.argv.slice(2), { withDevelopment: true });
