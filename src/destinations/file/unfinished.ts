import { lstat, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { refuseAborted } from '../../http/abort.ts'
import type { Call, MultipartUploads, UnfinishedUpload } from '../destination.ts'
import { errnoOf, mapped } from './errors.ts'
import { temporaryName } from './key-problem.ts'
import { logEnding, readPartLogKey } from './part-log.ts'
import type { Root } from './root.ts'

/** What this program names its temporary files; nothing else in their directory is touched. */
const uploadName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Temporary files that nobody put in their place: half-sent uploads with their logs, and objects written as a whole. */
export function createFileUnfinished(root: Root): Required<Pick<MultipartUploads, 'list' | 'remove'>> {
  async function directory(): Promise<string | undefined> {
    const path = await root.existing()
    if (path === undefined) return undefined
    const temporary = join(path, temporaryName)
    const found = await mapped(lstat(temporary).catch(noneIfGone))
    // Not through a symbolic link: what lies behind it is somebody else's.
    return found?.isDirectory() ? temporary : undefined
  }

  return {
    async *list(prefix: string, { signal }: Call) {
      const path = await directory()
      const names = path === undefined ? [] : await mapped(readdir(path))
      const isLog = (name: string): boolean => name.endsWith(logEnding)
      const uploads = new Set(names.map((name) => (isLog(name) ? name.slice(0, -logEnding.length) : name)))
      for (const uploadId of [...uploads].filter((name) => uploadName.test(name)).sort()) {
        refuseAborted(signal)
        const upload = await mapped(describe(join(path ?? '', uploadId), uploadId))
        if (upload !== undefined && (upload.key ?? '').startsWith(prefix)) yield upload
      }
    },

    async remove({ uploadId }, { signal }) {
      refuseAborted(signal)
      const path = await directory()
      if (path === undefined || !uploadName.test(uploadId)) return
      await mapped(unlink(join(path, uploadId)).catch(noneIfGone))
      await mapped(unlink(join(path, uploadId + logEnding)).catch(noneIfGone))
    },
  }
}

/** Undefined where it was put in its place meanwhile. */
async function describe(path: string, uploadId: string): Promise<UnfinishedUpload | undefined> {
  const file = await lstat(path).catch(noneIfGone)
  const log = await lstat(path + logEnding).catch(noneIfGone)
  // The age of what was written last: an upload that goes on is not one that was left behind.
  const times = [file, log].flatMap((found) => (found?.isFile() ? [found.mtimeMs] : []))
  if (times.length === 0) return undefined
  const key = log === undefined ? undefined : await readPartLogKey(path)
  return { key, uploadId, initiatedAt: new Date(Math.max(...times)), size: file?.size ?? 0 }
}

function noneIfGone(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error
}
