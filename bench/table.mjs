import { ratio } from './figures.mjs'

const reference = 's5cmd'

const columns = [
  ['wall s', (row) => fixed(row.wallS, 2)],
  ['CPU s', (row) => fixed(row.cpuS, 2)],
  ['RSS MB', (row) => fixed(row.rssMb, 0)],
  ['connections', (row) => fixed(row.connections, 0)],
  ['requests', (row) => fixed(row.requests, 0)],
  ['at once', (row) => fixed(row.maxConcurrent, 0)],
  ['errors', (row) => fixed(row.errors, 0)],
  ['sink CPU s', (row) => fixed(row.sinkCpuS, 2)],
  ['rounds', (row) => (row.failed > 0 ? `${row.rounds - row.failed} of ${row.rounds}` : String(row.rounds))],
  ['wall / s5cmd', (row, rows) => fixed(toReference(row, rows, 'wallS'), 2)],
  ['CPU / s5cmd', (row, rows) => fixed(toReference(row, rows, 'cpuS'), 2)],
]

/** What uploads nothing is not compared. */
function toReference(row, rows, name) {
  return row.requests === undefined ? undefined : ratio(row, rows[reference], name)
}

/** A workload's table as lines of cells, the first of them the heading. */
export function rowsAsCells({ rows, names }) {
  const used = columns.filter(([, cell]) => Object.values(rows).some((row) => cell(row, rows) !== ''))
  return [
    ['tool', ...used.map(([heading]) => heading)],
    ...Object.entries(rows).map(([id, row]) => [names[id], ...used.map(([, cell]) => cell(row, rows))]),
  ]
}

/** What the goals are about, as lines of cells. */
export function figuresAsCells(figures) {
  return [
    ['figure', 'measured', 'goal', ''],
    ...figures.map(({ what, value, limit, sign, met }) => [
      what,
      value === undefined ? 'not measured' : number(value),
      limit === undefined ? '' : `${sign} ${limit}`.trim(),
      met === undefined ? '' : met ? 'met' : 'NOT met',
    ]),
  ]
}

/** For a terminal. */
export function asText(cells) {
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)))
  const padded = (text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))
  return cells.map((line) => line.map(padded).join('  ').trimEnd()).join('\n')
}

/** For a Markdown file. */
export function asMarkdown([heading, ...lines]) {
  const row = (line) => `| ${line.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    row(heading),
    `|${heading.map((_, column) => (column === 0 ? '---|' : '--:|')).join('')}`,
    ...lines.map(row),
  ].join('\n')
}

function fixed(value, digits) {
  return value === undefined ? '' : value.toFixed(digits)
}

function number(value) {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
