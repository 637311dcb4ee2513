#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { main } from '../dist/cli/main.js'

// V8 would let its heap grow by what is free on the machine. For short-lived objects what it has when the code is loaded
// does as well; the rest may double before it is cleaned.
await main(() => {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=100')
})
