/**
 * One of many processes that count in one rollout's state. Arguments: the state's file, the seed, updates to make,
 * outcomes in each, and `survives`, `killed-between` (after half of its updates) or `killed-within` (in the next one,
 * with the lock in its hand). Prints what is in the file for certain, a line after each update: files, failures, bytes.
 */
import { writeSync } from 'node:fs'
import { absorb, createDelta } from '../../src/rollout/figures.ts'
import type { Outcome } from '../../src/rollout/outcome.ts'
import { readState, updateState } from '../../src/rollout/state-file.ts'

const [path = '', seed = '', updates = '', outcomes = '', fate = ''] = process.argv.slice(2)
const stage = 50

const { begunAt } = (await readState(path)) ?? failed('there is no state')
const delta = createDelta(begunAt, { window: 500 })
const counted = { files: 0, failures: 0, bytes: 0 }

for (let update = 0; update < Number(updates); update += 1) {
  const isLast = update >= Number(updates) / 2
  if (fate === 'killed-between' && isLast) process.kill(process.pid, 'SIGKILL')
  for (let n = 0; n < Number(outcomes); n += 1) count(outcomeOf(update, n))
  const taken = delta.take()
  await updateState(
    path,
    (state) => {
      if (fate === 'killed-within' && isLast) process.kill(process.pid, 'SIGKILL')
      return absorb(state ?? failed('the state is gone'), taken, { window: 500 })
    },
    { waitMs: 600_000, name: 'many' },
  )
  // At once: what is killed in the next moment has told of it.
  writeSync(1, `${JSON.stringify(counted)}\n`)
}

function outcomeOf(update: number, n: number): Outcome {
  const number = Number(seed) * 1009 + update * 31 + n
  const isSuccess = number % 7 !== 0
  return {
    stage,
    side: number % 2 === 0 ? 'candidate' : 'baseline',
    isSuccess,
    bytes: isSuccess ? 1000 + number : 0,
    sizeClass: '64KiB',
    durationMs: isSuccess ? 5 + (number % 90) : undefined,
    beganAt: new Date(Date.UTC(2026, 10, 22, 7) + number).toISOString(),
  }
}

function count(outcome: Outcome): void {
  delta.add(outcome)
  counted.files += 1
  counted.failures += outcome.isSuccess ? 0 : 1
  counted.bytes += outcome.bytes
}

function failed(why: string): never {
  throw new Error(why)
}
