import { readdir, readFile } from 'node:fs/promises'

/** What a process holds at one moment. */
export interface Held {
  /** Since the watch began. */
  readonly atMs: number
  readonly rssBytes: number
  readonly descriptors: number
}

export interface ProcessWatch {
  /** Medians of what was seen between two moments; fails where nothing was. */
  readonly between: (fromMs: number, toMs: number) => Omit<Held, 'atMs'>
  /** When the last sample was taken. */
  readonly lastAtMs: () => number
  readonly stop: () => void
}

const everyMs = 500

/** Whether this system says what a process holds. */
export const canWatch = process.platform === 'linux'

/** Samples what a process holds twice a second, by /proc, until it ends or `stop`. */
export function watchProcess(pid: number): ProcessWatch {
  const samples: Held[] = []
  const startedAt = performance.now()
  const timer = setInterval(() => {
    sample(pid).then(
      (held) => samples.push({ atMs: performance.now() - startedAt, ...held }),
      () => clearInterval(timer),
    )
  }, everyMs)
  return {
    between: (fromMs, toMs) => {
      const some = samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      if (some.length === 0) throw new Error(`no sample from ${fromMs} to ${toMs} ms among ${samples.length}`)
      return {
        rssBytes: median(some.map(({ rssBytes }) => rssBytes)),
        descriptors: median(some.map(({ descriptors }) => descriptors)),
      }
    },
    lastAtMs: () => samples.at(-1)?.atMs ?? 0,
    stop: () => clearInterval(timer),
  }
}

async function sample(pid: number): Promise<Omit<Held, 'atMs'>> {
  const [status, open] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)])
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kibibytes === undefined) throw new Error('no such process any more')
  return { rssBytes: Number(kibibytes) * 1024, descriptors: open.length }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
