import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { wholeChecksum } from '../../checksums/whole-checksum.ts'
import { UploadError } from '../../errors.ts'
import { refuseAborted } from '../../http/abort.ts'
import type {
  Call,
  MultipartUpload,
  MultipartUploads,
  ObjectInfo,
  ObjectToPut,
  Part,
  PartBody,
} from '../destination.ts'
import { mapped } from './errors.ts'
import { createPartLog, type PartLog, readPartLog, startOf } from './part-log.ts'
import { moveInto, openTemporary, refuseDirectory } from './put.ts'
import type { Root } from './root.ts'
import { createFileUnfinished } from './unfinished.ts'
import { keepMtime, writeBody } from './write.ts'

/** More parts at once bring nothing: they end up on the same disk. */
const maxConcurrentParts = 4

/** Multipart uploads into a directory, and those still open. */
export interface FileMultipart extends MultipartUploads {
  /** Closes the files of uploads that were neither completed nor aborted; they can be resumed. */
  close(): Promise<void>
}

/**
 * Objects written part by part: one temporary file takes the parts at their places, and a log beside it says which are
 * there. A part counts once its bytes are on the disk and its line is in the log.
 */
export function createFileMultipart(root: Root): FileMultipart {
  const openFiles = new Set<FileHandle>()

  function uploadOf(
    object: ObjectToPut,
    uploadId: string,
    path: string,
    file: FileHandle,
    log: PartLog,
  ): MultipartUpload {
    openFiles.add(file)
    const close = async () => {
      openFiles.delete(file)
      await file.close().catch(() => {})
    }
    return {
      uploadId,
      partSize: log.partSize,
      maxConcurrentParts,
      listParts: async () => log.parts(),

      async uploadPart(partNumber: number, body: PartBody, call: Call): Promise<Part> {
        refuseAborted(call.signal)
        const { size, start } = body
        if (start === undefined && size > log.partSize)
          throw new UploadError('INTERNAL', `part ${partNumber} is larger than the part size`)
        await mapped(log.forget(partNumber))
        const checksum = await writeBody(file, startOf({ partNumber, size, start }, log.partSize), body, call)
        await mapped(file.datasync())
        await mapped(log.add({ partNumber, size, checksum, start }))
        return { partNumber, size, checksum }
      },

      async complete(parts: readonly Part[], call: Call): Promise<ObjectInfo> {
        refuseAborted(call.signal)
        const size = wholeSize(parts, log)
        const place = await root.placeFor(object.key)
        // A part that was longer the first time may have left bytes behind the end.
        await mapped(file.truncate(size))
        await mapped(keepMtime(file, object.mtimeNs))
        await mapped(file.sync())
        await close()
        await moveInto(root, path, place, object.ifAbsent)
        await log.remove()
        return { key: object.key, size, checksum: wholeChecksum(parts) }
      },

      release: close,

      async abort() {
        await close()
        await unlink(path).catch(() => {})
        await log.remove()
      },
    }
  }

  return {
    ...createFileUnfinished(root),
    isOpenEnded: true,

    async create(object, call) {
      refuseAborted(call.signal)
      const uploadId = randomUUID()
      // Found now rather than after the last part: a place the object cannot have.
      await refuseDirectory(await root.placeFor(object.key))
      const { path, file } = await openTemporary(root, uploadId)
      try {
        return uploadOf(object, uploadId, path, file, await mapped(createPartLog(path, object)))
      } catch (error) {
        await file.close()
        await unlink(path).catch(() => {})
        throw error
      }
    },

    async resume(uploadId, object, call) {
      refuseAborted(call.signal)
      if (!/^[0-9a-f-]{36}$/.test(uploadId)) return undefined
      const path = join(await root.temporary(), uploadId)
      const file = await open(path, 'r+').catch(() => undefined)
      const log = file && (await mapped(readPartLog(path, object.key, (await file.stat()).size)))
      if (file !== undefined && log !== undefined) return uploadOf(object, uploadId, path, file, log)
      await file?.close()
      return undefined
    },

    async close() {
      await Promise.all([...openFiles].map((file) => file.close().catch(() => {})))
      openFiles.clear()
    },
  }
}

/** @throws UploadError BAD_RESPONSE where the parts do not make one whole */
function wholeSize(parts: readonly Part[], log: PartLog): number {
  const held = new Map(log.parts().map((part) => [part.partNumber, part]))
  if (parts.length === 0) throw new UploadError('BAD_RESPONSE', 'no part is there to make an object of')
  let size = 0
  for (const [at, { partNumber }] of parts.entries()) {
    const part = held.get(partNumber)
    // Each begins where the one before ends: none is missing, and none of them too short.
    if (part === undefined || partNumber !== at + 1 || startOf(part, log.partSize) !== size)
      throw new UploadError('BAD_RESPONSE', `part ${at + 1} is missing at the destination`)
    size += part.size
  }
  return size
}
