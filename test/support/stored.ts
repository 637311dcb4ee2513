import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Place } from './real-server.ts'

/** What was sent under a key: a file on this disk, or its SHA-256 in hex. */
export type Sent = { readonly file: string } | { readonly sha256: string }

/** Hex SHA-256 of everything a stream holds. */
export async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream) hash.update(piece)
  return hash.digest('hex')
}

/**
 * Compares every stored byte with what was sent. Returns one line for each key that is missing, that nobody sent, or
 * whose bytes differ: none where all is well.
 */
export async function differences(place: Place, sent: ReadonlyMap<string, Sent>): Promise<string[]> {
  const stored = new Set(await place.keys())
  const found: string[] = []
  for (const key of stored) if (!sent.has(key)) found.push(`${key}: nobody sent it`)
  for (const [key, what] of sent) {
    if (!stored.has(key)) {
      found.push(`${key}: missing`)
      continue
    }
    const expected = 'file' in what ? await hashOf(createReadStream(what.file)) : what.sha256
    const actual = await hashOf(await place.read(key))
    if (actual !== expected) found.push(`${key}: stored ${await place.size(key)} bytes with another checksum`)
  }
  return found
}
