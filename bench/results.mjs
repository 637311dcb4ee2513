import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { inRepository } from '../scripts/paths.mjs'
import { asMarkdown, figuresAsCells, rowsAsCells } from './table.mjs'
import { tools } from './tools.mjs'

export const resultsFile = inRepository('bench/RESULTS.md')

/**
 * Writes RESULTS.md: machine, versions, every table, and where a peer is ahead.
 *
 * @param results of runWorkload, in order
 * @param circumstances `found` and `missing` tools, and `argv` the run was started with
 */
export function writeResults(results, { found, missing, argv }) {
  const text = [
    '# Results',
    `Written by \`npm run bench -- ${argv.join(' ')}\`${argv.includes('--keep') ? ', the last of several parts' : ''}. ` +
      'What is measured, and how: [README.md](README.md).',
    ...machine(),
    versions(found, missing),
    aheadText(results),
    ...results.flatMap(section),
  ].join('\n\n')
  writeFileSync(resultsFile, `${text}\n`)
}

function machine() {
  const [{ model }] = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}. Machine: ${cpus().length} × ${model.trim()}, ${memory} GiB, ` +
      `${type()} ${release()}. Client and sink share it. Go of the sink: ${goVersion()}.`,
    'Figures are medians of interleaved rounds. RSS is that of the largest process, in MB of 10^6 bytes; CPU is user ' +
      'and system time of the whole process tree, without the sink. Errors are objects that did not arrive, and ' +
      'requests the sink was told to refuse.',
  ]
}

function goVersion() {
  return /go([\d.]+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown'
}

function versions(found, missing) {
  const lines = [
    ['tool', 'version', 'settings'],
    ['Node', process.version.slice(1), ''],
    ...Object.entries(found).map(([id, { version }]) => [tools[id].name, version, tools[id].settings]),
    ...Object.entries(missing).map(([id, reason]) => [tools[id].name, `not measured: ${reason}`, tools[id].settings]),
  ]
  return asMarkdown(lines).replaceAll('--:|', '---|')
}

function section(result) {
  return [
    `## ${result.title}`,
    ...(Object.keys(result.rows).length > 0 ? [asMarkdown(rowsAsCells(result))] : []),
    ...(result.notes.length > 0 ? [result.notes.map((note) => `- ${note}`).join('\n')] : []),
    ...(result.figures.length > 0 ? [asMarkdown(figuresAsCells(result.figures))] : []),
    `<!-- ${result.id} -->`,
  ]
}

function aheadText(results) {
  const lines = results.flatMap(ahead)
  const told =
    lines.length > 0
      ? lines.map((line) => `- ${line}`).join('\n')
      : 'Nowhere in the tables below, as far as peers were measured.'
  const unmet = results.flatMap(({ title, figures }) =>
    figures.filter(({ met }) => met === false).map((figure) => `- ${title}: ${missed(figure)}`),
  )
  return [
    '## Where a peer is still ahead',
    told,
    '## Goals not met',
    unmet.length > 0 ? unmet.join('\n') : 'None of those measured.',
  ].join('\n\n')
}

function missed({ what, value, limit, sign }) {
  return `${what} is ${value.toPrecision(3)}, the goal is ${`${sign} ${limit}`.trim()}`
}

/** Peers that need less of something than this program's fast engine in the same table. */
function ahead({ title, rows }) {
  const own = rows['ours-fast']
  if (own === undefined) return []
  return [
    ['wallS', 'wall', 's', 2],
    ['cpuS', 'CPU', 's', 2],
    ['rssMb', 'peak RSS', 'MB', 0],
  ].flatMap(([name, label, unit, digits]) => {
    const better = Object.entries(rows).filter(
      ([id, row]) => id in tools && !id.startsWith('ours-') && row[name] < own[name],
    )
    if (better.length === 0) return []
    const values = better.map(([id, row]) => `${tools[id].name} ${row[name].toFixed(digits)} ${unit}`)
    return [`${title}, ${label}: ${values.join(', ')}; this program ${own[name].toFixed(digits)} ${unit}`]
  })
}
