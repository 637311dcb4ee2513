import { lstat, unlink } from 'node:fs/promises'
import type { FileUrl } from '../../config/destination-url.ts'
import type { Destination, DestinationLimits, ObjectProperties } from '../destination.ts'
import { errnoOf, mapped } from './errors.ts'
import { fixName, keyProblem } from './key-problem.ts'
import { listFiles } from './list.ts'
import { createFileMultipart } from './multipart.ts'
import { putFile } from './put.ts'
import { readChecksum } from './read-checksum.ts'
import { openRoot } from './root.ts'

const limits: DestinationLimits = {
  maxObjectSize: Number.MAX_SAFE_INTEGER,
  minPartSize: 1,
  maxPartSize: Number.MAX_SAFE_INTEGER,
  maxParts: 10_000,
  keyProblem: (key) => keyProblem(key),
  fixName: (name) => fixName(name),
}

/**
 * A directory as a bucket. It is made when the first object is written.
 *
 * @param asked what every object is to have, which files do not keep
 * @param warn for what the user has to know, once
 */
export function openFileDestination(
  { url, directory }: Pick<FileUrl, 'url' | 'directory'>,
  { cacheControl, metadata }: ObjectProperties = {},
  warn: (message: string) => void = () => {},
): Destination {
  if (cacheControl !== undefined || metadata !== undefined) {
    warn('a directory keeps nothing with its files: they go without --cache-control and --metadata')
  }
  const root = openRoot(directory)
  const multipart = createFileMultipart(root)
  return {
    url,
    engine: 'fast',
    limits,
    ifAbsent: 'atomic',
    headIsFree: true,
    multipart,
    putObject: (object, body, call) => putFile(root, object, body, call),

    async headObject(key, { signal }, wanted) {
      const place = await root.find(key)
      const found = place && (await mapped(lstat(place.path).catch(passOver(['ENOENT', 'ENOTDIR']))))
      if (place === undefined || !found?.isFile()) return undefined
      const checksum = wanted?.checksum ? await mapped(readChecksum(place.path, signal)) : undefined
      return { key, size: found.size, lastModified: found.mtime, ...(checksum && { checksum }) }
    },

    async deleteObject(key) {
      const place = await root.find(key)
      if (place !== undefined) await mapped(unlink(place.path).catch(passOver(['ENOENT', 'ENOTDIR', 'EISDIR'])))
    },

    async *listObjects(prefix, call) {
      const path = await root.existing()
      if (path !== undefined) yield* listFiles(path, prefix, call)
    },

    async close() {
      await multipart.close()
      await root.close()
    },
  }
}

/** Where a name has no file, there is no object: a missing name, and a directory's. */
function passOver(errnos: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!errnos.includes(errnoOf(error) ?? '')) throw error
  }
}
