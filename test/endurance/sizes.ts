const kilobyte = 1000
const megabyte = 1000 * kilobyte
const gigabyte = 1000 * megabyte
const second = 1000

/**
 * How much each of these tests does: in full, as `npm run test:endurance` runs them, and what a change can wait for
 * (UPLOAD_TEST_ENDURANCE=short).
 */
const table = {
  kill: {
    full: { smallFiles: 10_000, largeFiles: 20, largeSize: 100 * megabyte, kills: 20 },
    short: { smallFiles: 300, largeFiles: 5, largeSize: 40 * megabyte, kills: 3 },
  },
  supabaseKill: {
    full: { size: 200 * megabyte, kills: 3, files: 4, fileSize: 60 * megabyte },
    short: { size: 60 * megabyte, kills: 3, files: 4, fileSize: 20 * megabyte },
  },
  soak: {
    // As many files as 32 at once, each answered after 150 ms in the middle, are busy with for `lastsMs`.
    full: { files: 112_000, largeFiles: 30, lastsMs: 600 * second, settledMs: 60 * second },
    short: { files: 6_500, largeFiles: 2, lastsMs: 35 * second, settledMs: 12 * second },
  },
  linkCut: {
    full: { size: 2 * gigabyte, cutMs: 30 * second, options: '' },
    short: { size: 120 * megabyte, cutMs: 3 * second, options: '--stall-timeout 2s' },
  },
  manyAtOnce: {
    full: { files: 10_000 },
    short: { files: 1_500 },
  },
  rolloutState: {
    // The short one is for machines that others use, too.
    full: { processes: 200, updates: 25, outcomes: 8, killedBetween: 20, killedWithin: 2 },
    short: { processes: 60, updates: 8, outcomes: 8, killedBetween: 6, killedWithin: 1 },
  },
  toxics: {
    full: { smallFiles: 50, largeSize: 40 * megabyte, servers: 2 },
    short: { smallFiles: 50, largeSize: 20 * megabyte, servers: 1 },
  },
} as const

type Size = 'full' | 'short'

/** What `UPLOAD_TEST_ENDURANCE` asks for. */
function wanted(): Size {
  const value = process.env.UPLOAD_TEST_ENDURANCE || 'full'
  if (value !== 'full' && value !== 'short') throw new Error(`UPLOAD_TEST_ENDURANCE is full or short, not ${value}.`)
  return value
}

const size = wanted()
export const kill = table.kill[size]
export const supabaseKill = table.supabaseKill[size]
export const soak = table.soak[size]
export const linkCut = table.linkCut[size]
export const manyAtOnce = table.manyAtOnce[size]
export const rolloutState = table.rolloutState[size]
export const toxics = table.toxics[size]
