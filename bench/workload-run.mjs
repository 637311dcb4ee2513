import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inRepository } from '../scripts/paths.mjs'
import { makeData, warm } from './data.mjs'
import { medians } from './figures.mjs'
import { cleanWork, measure } from './measure.mjs'
import { cleanEnvironment, places } from './places.mjs'
import { startProxy } from './sink.mjs'
import { tools } from './tools.mjs'

const defaultRounds = 5
const pollMs = 200
const commands = { node: [process.execPath], upload: [process.execPath, inRepository('bin/upload.js')] }

/**
 * Runs one workload: round by round every entry once, each round beginning with another, so that none always has the
 * same neighbour.
 *
 * @param context `sink`, `found` (tools that are there, by name), `missing` (why the others are not), `chosen` (tool
 *   names), `rounds` and `quick` as asked for
 * @returns `rows` (medians) and `names` by row id, `figures`, `notes` on who is not in the table, and the `runs`
 */
export async function runWorkload(workload, context) {
  const { quick } = context
  const entries = workload.entries
    .filter(({ tool }) => tool === undefined || (context.chosen.includes(tool) && tool in context.found))
    .map((entry) => ({ ...entry, rowId: rowId(entry), data: makeData(entry.data ?? workload.data, quick) }))
  for (const data of new Map(entries.map(({ data }) => [data.folder, data])).values()) {
    if (data.diskBytes < totalmem() / 2) warm(data)
  }
  const rounds = quick ? 1 : (context.rounds ?? workload.rounds ?? defaultRounds)
  const runs = Object.fromEntries(entries.map(({ rowId }) => [rowId, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < entries.length; index += 1) {
      const entry = entries[(index + round) % entries.length]
      if (round >= (entry.rounds ?? rounds)) continue
      const run = await runEntry(workload, entry, context)
      runs[entry.rowId].push(run)
      console.error(`  ${workload.id} ${round + 1}/${rounds}  ${entry.rowId}: ${inWords(run)}`)
    }
  }
  const rows = Object.fromEntries(Object.entries(runs).map(([id, list]) => [id, medians(list)]))
  const names = Object.fromEntries(entries.map((entry) => [entry.rowId, nameOf(entry)]))
  return {
    id: workload.id,
    title: workload.title,
    rows,
    names,
    // Too little ran for a verdict.
    figures: workload.figures(rows).map((figure) => (quick ? { ...figure, met: undefined } : figure)),
    notes: notes(workload, context, rows, names),
    runs,
  }
}

function rowId({ tool, id }) {
  return [tool, id].filter((part) => part !== undefined).join(', ')
}

function nameOf({ tool, id }) {
  return [tool && tools[tool].name, id].filter((part) => part !== undefined).join(', ')
}

/** One run of one tool: what it took, what the sink saw, and what went wrong. */
async function runEntry(workload, entry, { sink, found, quick }) {
  cleanWork()
  if (entry.command !== undefined) {
    const [name, ...args] = entry.command
    return figuresOf(await measure({ argv: [...commands[name], ...args], env: cleanEnvironment() }))
  }
  const tool = tools[entry.tool]
  const direct = workload.tls ? sink.tls : sink.plain
  const proxy = workload.line === undefined ? undefined : await startProxy(new URL(direct).host, workload.line)
  const job = {
    ...entry.data,
    endpoint: proxy === undefined ? direct : `${new URL(direct).protocol}//${proxy.address}`,
    supabase: workload.supabase,
    ca: workload.tls ? sink.ca : undefined,
    prefix: 'run/',
    concurrency: entry.concurrency ?? workload.concurrency,
    args: entry.args,
    report: join(places.work, 'report.jsonl'),
  }
  const watchS = quick ? entry.quickWatchS : entry.watchS
  const { argv, env } = tool.command(job, found[entry.tool])
  await sink.reset(workload.sink ?? {})
  const over = new AbortController()
  const stopWhen = watchS === undefined ? undefined : watchedLongEnough(sink, watchS, over.signal)
  const measured = await measure({ argv: argv.map(String), env }, { stopWhen })
  over.abort()
  const stats = await sink.stats()
  proxy?.stop()

  const missing = watchS === undefined ? Math.max(0, job.count - stats.objects) : 0
  const short = missing > 0 ? `${missing} of ${job.count} objects did not reach the sink` : undefined
  const failure = measured.failure ?? short
  const run = {
    ...figuresOf({ ...measured, failure }),
    connections: stats.connections,
    requests: stats.requests,
    maxConcurrent: stats.maxConcurrent,
    errors: missing + stats.refused,
    sinkCpuS: stats.sinkCpuS,
    spanMs: stats.firstToLastAnswerMs,
  }
  if (failure !== undefined) return run
  return {
    ...run,
    ...entry.read?.(stats),
    p50Ms: tool.p50Ms?.({ ...measured, report: job.report }),
    eventLoopP99Ms: tool.summary?.(job)?.eventLoopDelayMs?.p99,
  }
}

/** Holds so many seconds after the first request; the time a program takes to plan is not watched. */
async function watchedLongEnough(sink, watchS, signal) {
  while (!signal.aborted && (await sink.stats()).requests === 0) await sleep(pollMs)
  await sleep(watchS * 1000, undefined, { signal }).catch(() => {})
}

function figuresOf({ wallS, cpuS, rssMb, failure }) {
  return { wallS, cpuS, rssMb, failure }
}

function inWords({ wallS, cpuS, rssMb, failure }) {
  if (failure !== undefined) return failure
  return `${wallS.toFixed(2)} s, CPU ${cpuS.toFixed(2)} s, ${rssMb.toFixed(0)} MB`
}

/** Nobody is left out in silence. */
function notes({ entries, absent = {} }, { chosen, found, missing }, rows, names) {
  const wanted = [...new Set(entries.map(({ tool }) => tool))].filter((tool) => chosen.includes(tool))
  return [
    ...Object.entries(rows).flatMap(([id, { failures }]) => failures.map((failure) => `${names[id]}: ${failure}`)),
    ...wanted.filter((tool) => !(tool in found)).map((tool) => `${tools[tool].name}: ${missing[tool]}`),
    ...Object.entries(absent)
      .filter(([tool]) => chosen.includes(tool))
      .map(([tool, why]) => `${tools[tool].name} does not take part: ${why}`),
  ]
}
