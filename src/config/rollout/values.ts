import { z } from 'zod'

/** Values of a rollout. */

/** A bare percentage: `10`, `0.5`. */
export function percentage() {
  const expected = 'expected a percentage from 0 to 100, such as 10 or 0.5'
  const read = z.union([z.number(), z.string()], expected).transform((given, context): number => {
    const value = typeof given === 'number' || /^\d{1,3}(?:\.\d+)?$/.test(given) ? Number(given) : Number.NaN
    if (value >= 0 && value <= 100) return value
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
  return read.meta({ minimum: 0, maximum: 100, pattern: '^\\d{1,3}(\\.\\d+)?$' })
}

/** The same as a share that files can be given: they are told apart in ten thousand buckets. */
export function stagePercentage() {
  return percentage().refine(
    (given) => Math.abs(given * 100 - Math.round(given * 100)) < 1e-6,
    'expected a percentage in steps of 0.01',
  )
}

/** `120%`, as a factor: 1.2. */
export function ratio() {
  const expected = 'expected a percentage such as 120%, up to 1000%'
  const read = z.string(expected).transform((given, context): number => {
    const [, digits] = /^(\d{1,4}(?:\.\d+)?) ?%$/.exec(given) ?? []
    const factor = Number(`${digits}e-2`)
    if (factor > 0 && factor <= 10) return factor
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
  return read.meta({ pattern: '^\\d{1,4}(\\.\\d+)? ?%$' })
}
