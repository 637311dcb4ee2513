#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { main } from '../dist/cli/main.js'

// V8 lets the space for short-lived objects grow to 48 MB. What it has when the code is loaded does as well here.
await main(() => setFlagsFromString('--semi-space-growth-factor=1'))
