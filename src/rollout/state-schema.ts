import { z } from 'zod'
import { sizeClasses } from './outcome.ts'
import type { LatencyBuckets, RolloutState, WindowEntry } from './state.ts'

/** How many faults are told: the first ones lead to the others. */
const faultsTold = 3

const count = z.int().min(0)
const percentage = z.number().min(0).max(100)
const time = z.iso.datetime({ precision: 3 })
const byClass = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({ '64KiB': value, '1MiB': value, '16MiB': value, larger: value })
const bySide = <Value extends z.ZodType>(value: Value) => z.strictObject({ candidate: value, baseline: value })

// There are thousands of these: a schema for each number would take longer than all the rest.
const latencyBuckets = z.custom<LatencyBuckets>(
  isLatency,
  'expected pairs of a duration and a count, by rising duration',
)
const windowEntries = z.custom<readonly WindowEntry[]>(isWindow, 'expected size classes and durations')

const hourFields = { files: count, failures: count, bytes: count }
const failuresFit = ({ files, failures }: { readonly files: number; readonly failures: number }): boolean =>
  failures <= files
const noMoreFailures = 'expected no more failures than files'

const sideFigures = z
  .strictObject({
    ...hourFields,
    firstSeen: time.nullable(),
    lastSeen: time.nullable(),
    latency: byClass(latencyBuckets),
  })
  .refine(failuresFit, noMoreFailures)

const change = z.strictObject({
  at: time,
  action: z.enum(['begin', 'promote', 'rollback', 'review', 'reset', 'complete']),
  by: z.enum(['automatic', 'person']),
  from: percentage,
  to: percentage,
  cause: z.string(),
  unmet: z.array(z.string()).optional(),
  figures: bySide(
    z
      .strictObject({
        files: count,
        failures: count,
        successRate: z.number().min(0).max(1).nullable(),
        p50Ms: z.number().min(0).nullable(),
        p95Ms: z.number().min(0).nullable(),
      })
      .refine(failuresFit, noMoreFailures),
  ),
})

const stateSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1),
  revision: count,
  begunAt: time,
  status: z.enum(['active', 'review', 'rolled-back', 'complete']),
  stage: percentage,
  stageSince: time,
  isReviewDecided: z.boolean(),
  figures: z
    .array(z.strictObject({ stage: percentage, ...bySide(sideFigures).shape }))
    .refine((figures) => isRising(figures.map(({ stage }) => stage)), 'expected each stage once, by rising percentage'),
  window: windowEntries,
  hours: z
    .array(
      z.strictObject({ hour: time, ...bySide(z.strictObject(hourFields).refine(failuresFit, noMoreFailures)).shape }),
    )
    .refine((hours) => isRising(hours.map(({ hour }) => Date.parse(hour))), 'expected each hour once, in their order'),
  history: z.array(change),
})

/**
 * A state as its file has it.
 *
 * @param value what the file's JSON came to
 * @throws Error saying in one line what is wrong with it.
 */
export function parseState(value: unknown): RolloutState {
  const version = z.object({ version: z.int().min(2) }).safeParse(value)
  if (version.success) {
    throw new Error(
      `it is of version ${version.data.version}, and this program knows version 1 only: go on with the newer program that wrote it`,
    )
  }
  // A run reads a state a few times only: compiling the schema would take longer than it saves.
  const parsed = stateSchema.safeParse(value, { jitless: true })
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
  throw new Error(`it is damaged (${faults.slice(0, faultsTold).join('; ')})`)
}

function isLatency(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  let before = -1
  for (const pair of value) {
    if (!Array.isArray(pair) || pair.length !== 2) return false
    const [lowest, files] = pair
    if (!Number.isSafeInteger(lowest) || lowest <= before || !Number.isSafeInteger(files) || files < 1) return false
    before = lowest
  }
  return true
}

function isWindow(value: unknown): boolean {
  return Array.isArray(value) && value.every(isWindowEntry)
}

function isWindowEntry(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false
  const { sizeClass, durationMs, ...others } = entry as Readonly<Record<string, unknown>>
  if (Object.keys(others).length > 0 || !sizeClasses.some((each) => each === sizeClass)) return false
  return durationMs === null || (Number.isFinite(durationMs) && (durationMs as number) >= 0)
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? value))
}
