import { hash } from 'node:crypto'

/** Into how many equal parts files fall: shares are told apart by hundredths of a percent. */
const buckets = 10_000

/**
 * The part of a rollout that a file belongs to, from 0 to 9,999: the first 8 bytes of `sha256(name + ":" + source)`,
 * big-endian, mod 10,000. The same for one file on every machine and in every run.
 *
 * @param name the rollout's name: another rollout gives the candidate other files first
 * @param source the file's source name
 */
export function bucketOf(name: string, source: string): number {
  // One byte a character, which is the cheapest form to have it in: this runs once for every file.
  const digest = hash('sha256', `${name}:${source}`, 'binary')
  let bucket = 0
  for (let byte = 0; byte < 8; byte += 1) bucket = (bucket * 256 + digest.charCodeAt(byte)) % buckets
  return bucket
}

/**
 * Whether the candidate gets the files of a bucket. What it gets at one share it gets at every larger one.
 *
 * @param percentage the candidate's share, from 0 to 100
 */
export function isCandidates(bucket: number, percentage: number): boolean {
  // 0.29 * 100 is a little less than 29.
  return bucket < Math.round(percentage * 100)
}

/** Whether a share gives the candidate none of the files, or all of them, so that no file need be looked at. */
export function wholeShare(percentage: number): 'none' | 'all' | undefined {
  if (!isCandidates(0, percentage)) return 'none'
  return isCandidates(buckets - 1, percentage) ? 'all' : undefined
}
