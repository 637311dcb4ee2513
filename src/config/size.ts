/** Bytes in a KiB, MiB, GiB, TiB. */
export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB
export const TiB = 1024 * GiB

const powers = { '': 0, K: 1, M: 2, G: 3, T: 4 } as const

/**
 * Bytes meant by `text`: `10MB` is 10⁷, `10MiB` is 10 · 2²⁰, a bare number is bytes; fractions of a unit are rounded to
 * whole bytes. `undefined` where it is no size. `512k` is none: it means 1000 to some tools and 1024 to others.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(?:([KMGT]?)(i?)B)?$/i.exec(text)
  if (match === null) return undefined
  const [, digits = '', prefix, binary] = match
  const power = powers[(prefix ?? '').toUpperCase() as keyof typeof powers]
  if (power === 0 && (binary === 'i' || binary === 'I' || digits.includes('.'))) return undefined
  const bytes = Math.round(Number(digits) * (binary ? 1024 : 1000) ** power)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `bytes` in the largest binary unit that divides it: `8MiB`, `1000`. The inverse of {@link parseSize}. */
export function showSize(bytes: number): string {
  if (bytes === 0) return '0'
  if (bytes % TiB === 0) return `${bytes / TiB}TiB`
  if (bytes % GiB === 0) return `${bytes / GiB}GiB`
  if (bytes % MiB === 0) return `${bytes / MiB}MiB`
  if (bytes % KiB === 0) return `${bytes / KiB}KiB`
  return String(bytes)
}
