#!/usr/bin/env node
"use strict";
require("./runtime.cjs").run("src/main.ts", process.argv.slice(2));
