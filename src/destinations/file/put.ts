import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { UploadError } from '../../errors.ts'
import { refuseAborted } from '../abort.ts'
import type { Call, Checksum, ObjectInfo, ObjectToPut, PartBody } from '../destination.ts'
import { errnoOf, mapped, toFileUploadError } from './errors.ts'
import type { Place, Root } from './root.ts'
import { writeBody } from './write.ts'

/** Stores one object as a whole: readers see the old file or the new one, never a part of it. */
export async function putFile(root: Root, object: ObjectToPut, body: PartBody, call: Call): Promise<ObjectInfo> {
  refuseAborted(call.signal)
  const place = await root.placeFor(object.key)
  const { path, file } = await openTemporary(root, randomUUID())
  let checksum: Checksum
  try {
    checksum = await writeBody(file, 0, body, call)
    await mapped(file.sync())
    await mapped(file.close())
    refuseAborted(call.signal)
    await moveInto(root, path, place)
  } catch (error) {
    await file.close().catch(() => {})
    await unlink(path).catch(() => {})
    throw error
  }
  return { key: object.key, size: body.size, checksum }
}

/** A new file among the temporary ones. */
export async function openTemporary(
  root: Root,
  name: string,
): Promise<{ readonly path: string; readonly file: FileHandle }> {
  const create = async (again?: 'again') => {
    const path = join(await root.temporary(again), name)
    return { path, file: await open(path, 'wx') }
  }
  try {
    return await create()
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw toFileUploadError(error)
  }
  // Another process that had nothing more to write has removed the directory.
  return mapped(create('again'))
}

/** Puts a finished, synced file in its place, for good. */
export async function moveInto(root: Root, temporary: string, place: Place): Promise<void> {
  try {
    await rename(temporary, place.path)
  } catch (error) {
    await refuseDirectory(place)
    throw toFileUploadError(error)
  }
  await mapped(root.sync(place.directory))
}

/** @throws UploadError KEY_INVALID where a directory has the object's name */
export async function refuseDirectory({ path }: Place): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory()) throw new UploadError('KEY_INVALID', 'the destination has a directory of that name')
}
