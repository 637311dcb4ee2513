export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

/** `16 KiB`, `512 MiB`, `500 MB`. */
export function sizeName(bytes) {
  for (const [unit, name] of [
    [GiB, 'GiB'],
    [MiB, 'MiB'],
    [1e6, 'MB'],
    [KiB, 'KiB'],
  ]) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit} ${name}`
  }
  return `${bytes} B`
}
