#!/usr/bin/env node
// npm links this file into node_modules/.bin when a clone is installed. `dist` is only built after that.
import '../dist/command/main.js';
