import { fileURLToPath } from 'node:url'
import { files, list, sparse } from './data.mjs'
import { atLeast, atMost, ratio, startAndEnd, within } from './figures.mjs'
import { openEnded } from './open-ended.mjs'
import { GiB, KiB, MiB } from './sizes.mjs'

const small = files(10_000, 16 * KiB, { count: 100 })
const tiny = files(100_000, 1 * KiB, { count: 300 })
const medium = files(40, 25 * MiB, { count: 3 })
const large = files(4, 512 * MiB, { count: 2, size: 40 * MiB })
const single = files(1, 1 * KiB)
const half = files(1, 500e6, { size: 50e6 })
const huge = sparse(10 * GiB, { size: 128 * MiB })
const few = (count) => files(count, 64 * KiB)
const several = files(500, 64 * KiB, { count: 20 })

const everyTool = [
  'ours-fast',
  'ours-standard',
  's5cmd',
  'rclone',
  'aws-cli',
  'aws-cli-2',
  'crt',
  'lib-storage',
  'naive',
]
const toSupabase = ['ours-fast', 'ours-standard', 'supabase-js'].map((tool) => ({ tool }))
const oneRound = { rounds: 1 }
/** Percentages of the files that the candidate gets, each with a config in rollout/. */
const rolloutShares = [0, 50, 100]
const slow = { 'ours-standard': { rounds: 3 }, 'aws-cli': oneRound, 'aws-cli-2': oneRound, crt: { rounds: 3 } }
const minutes = (of) => `minutes a run, and ${of} says the same of it`

/**
 * Every workload. `entries` are the rows of its table, in the order they run: a tool, or `command` where there is
 * nothing to upload, with `id` where a tool has more than one row. `absent` says who is not there, and why. `sink` is
 * how the sink behaves; `supabase`: it is sent to as a project of Supabase. `figures` reads the rows, by id, for what the goals are about.
 */
export const workloads = [
  {
    id: 'small-plain',
    title: '10,000 × 16 KiB',
    data: small,
    entries: all({ ...slow, naive: oneRound }),
    figures: (rows) => [
      ...toS5cmd(rows, 0.45, 0.45, 110),
      atMost('event-loop delay p99 in ms', rows['ours-fast']?.eventLoopP99Ms, 20),
      ...toStandard(rows),
    ],
  },
  {
    id: 'small-tls',
    title: '10,000 × 16 KiB, TLS',
    data: small,
    tls: true,
    entries: all({ ...slow, naive: oneRound }),
    figures: (rows) => toS5cmd(rows, 0.35, 0.35, 110),
  },
  {
    id: 'tiny-plain',
    title: '100,000 × 1 KiB',
    data: tiny,
    entries: all({ 'ours-standard': oneRound, 'lib-storage': oneRound }, ['aws-cli', 'aws-cli-2', 'crt', 'naive']),
    absent: Object.fromEntries(
      ['aws-cli', 'aws-cli-2', 'crt', 'naive'].map((tool) => [tool, minutes('10,000 × 16 KiB')]),
    ),
    figures: (rows) => toS5cmd(rows),
  },
  {
    id: 'medium-plain',
    title: '40 × 25 MiB',
    data: medium,
    entries: all(),
    figures: (rows) => toS5cmd(rows),
  },
  {
    id: 'large-plain',
    title: '4 × 512 MiB',
    data: large,
    entries: all(),
    figures: (rows) => [
      ...toS5cmd(rows, 0.55, 0.45, 100),
      atMost('wall, ours / s3transfer with CRT', ratio(rows['ours-fast'], rows.crt, 'wallS'), 0.8),
      atMost('peak RSS, ours / s3transfer with CRT', ratio(rows['ours-fast'], rows.crt, 'rssMb'), 0.25),
    ],
  },
  {
    id: 'large-tls',
    title: '4 × 512 MiB, TLS',
    data: large,
    tls: true,
    entries: all(),
    figures: (rows) => toS5cmd(rows, 0.65, 0.5, 100),
  },
  {
    id: 'huge-plain',
    title: 'One file of 10 GiB',
    data: huge,
    entries: [
      ...all({ 'lib-storage': oneRound, 'ours-standard': oneRound }),
      { tool: 'ours-fast', id: '500 MB', data: half },
    ],
    figures: (rows) => [
      ...toS5cmd(rows),
      atMost('peak RSS, 10 GiB / 500 MB', ratio(rows['ours-fast'], rows['ours-fast, 500 MB'], 'rssMb'), 1.1),
    ],
  },
  {
    id: 'latency-30ms',
    title: '1,000 × 1 MiB, 30 ms latency',
    data: files(1000, 1 * MiB, { count: 20 }),
    sink: { latency: '30ms' },
    entries: all({ naive: oneRound, 'aws-cli': oneRound }),
    figures: (rows) => toS5cmd(rows, 0.8, 0.5, 130),
  },
  {
    id: 'scaling-200ms',
    title: '1, 5, 10 and 20 files of 64 KiB, 200 ms latency',
    data: few(1),
    sink: { latency: '200ms' },
    entries: [1, 5, 10, 20].flatMap((count) => [
      { tool: 'ours-fast', id: `${count} files`, data: few(count) },
      { tool: 'ours-fast', id: `${count} files, -c 1`, data: few(count), concurrency: 1 },
    ]),
    figures: (rows) =>
      [
        [5, 4.5],
        [10, 8],
        [20, 12],
      ].map(([count, limit]) => {
        const [one, all] = [rows[`ours-fast, ${count} files, -c 1`], rows[`ours-fast, ${count} files`]]
        return atLeast(`${count} files: times as fast as one at a time`, ratio(one, all, 'spanMs'), limit)
      }),
  },
  {
    id: 'wide-300ms',
    title: '5,000 × 64 KiB, 1,000 at a time, 300 ms latency',
    data: files(5000, 64 * KiB, { count: 1000 }),
    sink: { latency: '300ms' },
    concurrency: 1000,
    entries: ['ours-fast', 's5cmd', 'rclone', 'lib-storage'].map((tool) => ({ tool })),
    figures: (rows) => [
      atLeast('requests at once, as the sink sees them', rows['ours-fast']?.maxConcurrent, 900),
      ...toS5cmd(rows, undefined, undefined, 200),
    ],
  },
  {
    id: 'million',
    title: '1,000,000 objects from one file of 1 KiB',
    data: list(1_000_000, 1 * KiB, { count: 3000 }),
    rounds: 1,
    entries: [{ tool: 'ours-fast', read: startAndEnd }],
    figures: ({ 'ours-fast': row }) => [
      atMost('peak RSS in MB', row?.rssMb, 150),
      atMost('files a second at the start', row?.startPerS),
      within('files a second, end / start', row && row.endPerS / row.startPerS, 0.1),
    ],
  },
  {
    id: 'start',
    title: 'Start-up',
    data: single,
    rounds: 15,
    entries: [
      { id: 'node -e 0', command: ['node', '-e', '0'] },
      { id: 'upload --version', command: ['upload', '--version'] },
      ...everyTool.map((tool) => ({ tool })),
    ],
    figures: (rows) => [
      atMost('wall, upload --version / node -e 0', ratio(rows['upload --version'], rows['node -e 0'], 'wallS'), 1.6),
      atMost('CPU s, one file of 1 KiB', rows['ours-fast']?.cpuS, 0.35),
    ],
  },
  {
    id: 'naive-30ms',
    title: '500 × 64 KiB, TLS, 30 ms latency, against the naive script',
    data: several,
    tls: true,
    sink: { latency: '30ms' },
    entries: ['ours-fast', 'ours-standard', 'naive'].map((tool) => ({ tool })),
    figures: (rows) => [atLeast('files a second, ours / naive', ratio(rows.naive, rows['ours-fast'], 'wallS'), 5)],
  },
  {
    id: 'naive-line',
    title: '500 × 64 KiB, TLS, one at a time, a line of 30 ms',
    data: several,
    tls: true,
    line: '30ms',
    entries: [
      { tool: 'ours-fast', id: '-c 1', concurrency: 1 },
      { tool: 'ours-standard', id: '-c 1', concurrency: 1 },
      { tool: 'naive' },
    ],
    figures: (rows) => [atMost('p50 latency, ours / naive', ratio(rows['ours-fast, -c 1'], rows.naive, 'p50Ms'), 0.7)],
  },
  {
    id: 'naive-memory',
    title: 'One file of 500 MB, against the naive script',
    data: half,
    entries: ['ours-fast', 'naive'].flatMap((tool) => [{ tool }, { tool, id: '1 KiB', data: single }]),
    figures: (rows) => {
      const growth = (tool) => rows[tool]?.rssMb - rows[`${tool}, 1 KiB`]?.rssMb
      return [atMost('growth of peak RSS, ours / naive', growth('ours-fast') / growth('naive'), 0.2)]
    },
  },
  {
    id: 'supabase-small',
    title: '10,000 × 16 KiB to Supabase',
    data: small,
    supabase: true,
    entries: toSupabase,
    figures: (rows) => [
      atLeast('files a CPU second, fast / standard', ratio(rows['ours-standard'], rows['ours-fast'], 'cpuS'), 3),
      atLeast('files a CPU second, fast / supabase-js', ratio(rows['supabase-js'], rows['ours-fast'], 'cpuS'), 3),
    ],
  },
  {
    id: 'supabase-large',
    title: 'One file of 500 MB to Supabase, in parts of 6 MiB',
    data: half,
    supabase: true,
    entries: toSupabase,
    figures: (rows) => [atMost('peak RSS in MB', rows['ours-fast']?.rssMb, 100)],
  },
  {
    id: 'rollout',
    title: '10,000 × 16 KiB, with a rollout of the same settings',
    data: small,
    entries: ['off', ...rolloutShares.map((share) => `at-${share}`)].map(withConfig),
    figures: (rows) =>
      rolloutShares.map((share) =>
        atMost(
          `CPU, at ${share} % / without`,
          ratio(rows[`ours-fast, at-${share}`], rows['ours-fast, off'], 'cpuS'),
          1.02,
        ),
      ),
  },
  ...openEnded,
]

/** Reading a config has its price, too: what is compared has one, whether it rolls something out or not. */
function withConfig(id) {
  return { tool: 'ours-fast', id, args: ['--config', fileURLToPath(new URL(`rollout/${id}.json`, import.meta.url))] }
}

/** Every tool but `without`, with the settings of `own` for some. */
function all(own = {}, without = []) {
  return everyTool.filter((tool) => !without.includes(tool)).map((tool) => ({ tool, ...own[tool] }))
}

function toS5cmd(rows, wall, cpu, rss) {
  const row = rows['ours-fast']
  return [
    atMost('wall, ours / s5cmd', ratio(row, rows.s5cmd, 'wallS'), wall),
    atMost('CPU, ours / s5cmd', ratio(row, rows.s5cmd, 'cpuS'), cpu),
    atMost('peak RSS in MB', row?.rssMb, rss),
  ]
}

function toStandard(rows) {
  const [fast, standard] = [rows['ours-fast'], rows['ours-standard']]
  return [
    atLeast('files a second, fast / standard', ratio(standard, fast, 'wallS'), 5),
    atLeast('bytes a CPU second, fast / standard', ratio(standard, fast, 'cpuS'), 3),
  ]
}
