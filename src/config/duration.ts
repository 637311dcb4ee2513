const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Milliseconds meant by `text`: `500ms`, `30s`, `5m`, `24h`, `7d`, with fractions (`1.5s`); `0` needs no unit.
 * `undefined` where it is no duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) return undefined
  const ms = Math.round(Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs])
  return Number.isSafeInteger(ms) ? ms : undefined
}

/** `ms` in the largest unit that divides it: `20s`, `10m`. The inverse of {@link parseDuration}. */
export function showDuration(ms: number): string {
  if (ms === 0) return '0'
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms % unitsMs[unit] === 0) return `${ms / unitsMs[unit]}${unit}`
  }
  return `${ms}ms`
}
