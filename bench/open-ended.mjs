import { list, sparse } from './data.mjs'
import { atLeast, atMost, sumBetween, within } from './figures.mjs'
import { GiB, KiB, MiB } from './sizes.mjs'

/** So long an open-ended run is watched, from the first request the sink sees. */
const watchedS = 20
const watchedQuickS = 2

/**
 * The workloads that have no end of their own: the program is given more than it can do in the time, and what the sink
 * saw from its first request on is what counts.
 */
export const openEnded = [
  auto('auto-small', '16 KiB', list(300_000, 16 * KiB, { count: 3000 })),
  auto('auto-large', '1 MiB', list(50_000, 1 * MiB, { count: 3000 })),
  {
    id: 'auto-throttled',
    title: `Files of 64 KiB for ${watchedS} s, 30 ms latency, 503 above 500 requests a second`,
    data: list(30_000, 64 * KiB, { count: 3000 }),
    rounds: 1,
    sink: { latency: '30ms', rate: 500 },
    entries: [watched({ tool: 'ours-fast', read: (stats) => afterStart(stats, 5) })],
    figures: ({ 'ours-fast': row }) => [
      atMost('share of requests refused after 5 s', row?.refusedShare, 0.02),
      atMost('objects a second after 5 s', row?.objectsPerS),
    ],
  },
  limited('limit-one', 'One file', sparse(10 * GiB, { size: 128 * MiB })),
  limited('limit-many', 'Many files of 16 KiB', list(30_000, 16 * KiB, { count: 10_000 })),
]

/** A run that is ended when it has been watched for long enough: it has more to do than it could. */
function watched(entry, seconds = watchedS) {
  return { ...entry, watchS: seconds, quickWatchS: watchedQuickS }
}

function auto(id, name, data) {
  const fixed = [8, 16, 32, 64, 128, 256]
  const read = (stats) => ({ objectsPerS: perSecond(stats, 'objects', watchedS) })
  return {
    id,
    title: `Files of ${name} for ${watchedS} s, 30 ms latency, \`auto\` against fixed values`,
    data,
    rounds: 3,
    sink: { latency: '30ms' },
    entries: [
      watched({ tool: 'ours-fast', id: 'auto', read }),
      ...fixed.map((concurrency) => watched({ tool: 'ours-fast', id: `-c ${concurrency}`, concurrency, read })),
    ],
    figures(rows) {
      const rates = fixed.map((concurrency) => rows[`ours-fast, -c ${concurrency}`]?.objectsPerS)
      const best = rates.some((rate) => rate === undefined) ? undefined : Math.max(...rates)
      return [
        ...fixed.map((concurrency, i) => atMost(`files a second, -c ${concurrency}`, rates[i])),
        atMost('files a second, auto', rows['ours-fast, auto']?.objectsPerS),
        atLeast('auto / the best fixed value', rows['ours-fast, auto']?.objectsPerS / best, 0.9),
      ]
    },
  }
}

function limited(id, name, data) {
  const [limit, seconds] = [20 * MiB, 10]
  const read = (stats) => ({ bytesPerS: perSecond(stats, 'bytes', seconds) })
  return {
    id,
    title: `${name} at --limit-rate 20MiB, ${seconds} s`,
    data,
    rounds: 3,
    entries: [watched({ tool: 'ours-fast', args: ['--limit-rate', String(limit)], read }, seconds)],
    figures: ({ 'ours-fast': row }) => [within('bytes a second, seen / allowed', row && row.bytesPerS / limit, 0.05)],
  }
}

/** Over `seconds` from the first request, or fewer where it was over before. */
function perSecond({ timeLine, slotMs, firstToLastAnswerMs }, name, seconds) {
  return sumBetween(timeLine[name], slotMs, 0, seconds) / Math.min(seconds, firstToLastAnswerMs / 1000)
}

function afterStart({ timeLine, slotMs }, fromS) {
  const of = (name) => sumBetween(timeLine[name], slotMs, fromS)
  const seconds = (timeLine.objects.length * slotMs) / 1000 - fromS
  return { refusedShare: of('refused') / of('requests'), objectsPerS: of('objects') / seconds }
}
