/** `npm run bench`: this program and its peers side by side; see README.md here. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ensureBuilt, ensureInstalled } from '../scripts/ready.mjs'
import { installPeers } from './install.mjs'
import { cleanWork } from './measure.mjs'
import { readOptions } from './options.mjs'
import { cache, places } from './places.mjs'
import { resultsFile, writeResults } from './results.mjs'
import { buildSink, startSink } from './sink.mjs'
import { asText, figuresAsCells, rowsAsCells } from './table.mjs'
import { tools } from './tools.mjs'
import { runWorkload } from './workload-run.mjs'
import { workloads } from './workloads.mjs'

const options = readOptions(
  process.argv.slice(2),
  workloads.map(({ id }) => id),
  Object.keys(tools),
)
ensureInstalled()
if (options.build) await ensureBuilt()
try {
  buildSink()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
if (options.install) installPeers()
cleanWork()
const { found, missing } = findTools()
console.error(`Data, peers and figures are kept in ${cache}.`)
if (options.list) {
  for (const { id, title } of workloads) console.log(`${id.padEnd(16)}${title}`)
  process.exit(0)
}

const sink = await startSink()
const context = { sink, found, missing, chosen: options.tools, rounds: options.rounds, quick: options.quick }
const measured = new Map(options.keep ? earlier().map((result) => [result.id, result]) : [])
for (const workload of workloads.filter(({ id }) => options.only.includes(id))) {
  const result = await runWorkload(workload, context)
  measured.set(workload.id, result)
  print(result)
  writeFileSync(places.results, JSON.stringify([...measured.values()], undefined, 1))
}
sink.stop()
const results = workloads.flatMap(({ id }) => measured.get(id) ?? [])
if (options.quick) console.log('\n--quick: everything above ran, but so little of it that no figure means anything.')
if (options.write) {
  writeResults(results, { found, missing, argv: process.argv.slice(2) })
  console.error(`Written: ${resultsFile}`)
}

function earlier() {
  return existsSync(places.results) ? JSON.parse(readFileSync(places.results, 'utf8')) : []
}

function findTools() {
  const result = { found: {}, missing: {} }
  for (const name of options.tools) {
    const { name: label, find, install } = tools[name]
    const { reason, ...there } = find()
    if (reason === undefined) result.found[name] = there
    else result.missing[name] = reason === 'not installed' ? `not installed (${install})` : reason
    console.error(`${label.padEnd(24)}${reason === undefined ? there.version : result.missing[name]}`)
  }
  return result
}

function print(result) {
  console.log(`\n${result.title} (${result.id})\n`)
  if (Object.keys(result.rows).length > 0) console.log(asText(rowsAsCells(result)))
  for (const note of result.notes) console.log(`  ${note}`)
  if (result.figures.length > 0) console.log(`\n${asText(figuresAsCells(result.figures))}`)
}
