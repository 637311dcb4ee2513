import type { Destination } from '../destinations/destination.ts'
import type { FileWork } from './file-record.ts'

/** How long the removal of a half-sent upload may take, in milliseconds. */
const limitMs = 5000

/** Removes what was sent of a file that cannot be gone on with. Where that fails, the upload counts as one that is kept. */
export async function dropUnfinished(work: FileWork, { multipart }: Destination): Promise<void> {
  const { unfinished, file } = work
  // Where it was only found at the destination, it may be somebody else's; nobody knows the size of standard input.
  if (unfinished === undefined || (unfinished.size === undefined && file.path !== '-')) {
    work.unfinished = undefined
    return
  }
  const { key, contentType } = file
  const call = { signal: AbortSignal.timeout(limitMs), requests: 1 }
  try {
    const object = { key, contentType, partSize: unfinished.partSize }
    const upload = await multipart?.resume(unfinished.uploadId, object, call)
    await upload?.abort(call)
    work.unfinished = undefined
  } catch {
    // What led here is what to tell: the file's failure, or its success in another way.
  }
}
