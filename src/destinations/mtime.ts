/** What keeps an object's modification time where providers have no place of their own for it, as rclone and others do. */
export const mtimeName = 'mtime'

const perSecond = 1_000_000_000n

/**
 * A modification time as rclone writes it into an object's metadata, and reads it: seconds since the epoch with up to
 * nine decimals, of which those at the end that are zero are left out.
 * https://pkg.go.dev/github.com/ncw/swift/v2#TimeToFloatString
 *
 * @param ns nanoseconds since the epoch
 */
export function mtimeText(ns: bigint): string {
  if (ns < 0n) return `-${mtimeText(-ns)}`
  const decimals = String(ns % perSecond)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const seconds = String(ns / perSecond)
  return decimals === '' ? seconds : `${seconds}.${decimals}`
}

/** Whether metadata names a modification time of its own; names differ in no letter's case. */
export function namesMtime(metadata: Readonly<Record<string, string>> | undefined): boolean {
  return metadata !== undefined && Object.keys(metadata).some((name) => name.toLowerCase() === mtimeName)
}

/** What is kept with an object as the user's own, its modification time among it; undefined where that is nothing. */
export function withMtime(
  metadata: Readonly<Record<string, string>> | undefined,
  mtimeNs: bigint | undefined,
): Readonly<Record<string, string>> | undefined {
  return mtimeNs === undefined ? metadata : { ...metadata, [mtimeName]: mtimeText(mtimeNs) }
}
