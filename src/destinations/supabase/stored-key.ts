/** Compares where the server says it has put an object with where it was to go. */
export type CompareKey = (key: string, told: string) => void

/**
 * A gateway that takes a path apart and puts it together anew may change what it means. The server has the bytes all the
 * same, and only asking for the object would prove where: so it is said, once, and `--verify` asks.
 */
export function createKeyComparison(bucket: string, warn: (message: string) => void): CompareKey {
  let isSaid = false
  return (key, told) => {
    if (isSaid || told === `${bucket}/${key}`) return
    isSaid = true
    warn(
      `Supabase says that it has stored ${bucket}/${key} as ${told}: is there a proxy that changes paths? --verify asks for each object under its own key`,
    )
  }
}
