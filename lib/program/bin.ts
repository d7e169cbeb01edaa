#!/usr/bin/env node
// `npx natter`: the installed package's server.

import { main } from './main.ts'

await main(process.argv.slice(2), process.env)
