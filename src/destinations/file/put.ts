import { randomUUID } from 'node:crypto'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { UploadError } from '../../errors.ts'
import { refuseAborted } from '../../http/abort.ts'
import type { Call, Checksum, ObjectInfo, ObjectToPut, PartBody } from '../destination.ts'
import { errnoOf, mapped, toFileUploadError } from './errors.ts'
import type { Place, Root } from './root.ts'
import { keepMtime, writeBody } from './write.ts'

/** Stores one object as a whole: readers see the old file or the new one, never a part of it. */
export async function putFile(root: Root, object: ObjectToPut, body: PartBody, call: Call): Promise<ObjectInfo> {
  refuseAborted(call.signal)
  const place = await root.placeFor(object.key)
  const { path, file } = await openTemporary(root, randomUUID())
  let checksum: Checksum
  try {
    checksum = await writeBody(file, 0, body, call)
    await mapped(keepMtime(file, object.mtimeNs))
    await mapped(file.sync())
    await mapped(file.close())
    refuseAborted(call.signal)
    await moveInto(root, path, place, object.ifAbsent)
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

/**
 * Puts a finished, synced file in its place, for good.
 *
 * @param ifAbsent only where there is nothing
 * @throws UploadError ALREADY_EXISTS; what the file system says against it.
 */
export async function moveInto(root: Root, temporary: string, place: Place, ifAbsent = false): Promise<void> {
  try {
    await (ifAbsent ? moveIfAbsent(temporary, place.path) : rename(temporary, place.path))
  } catch (error) {
    await refuseDirectory(place)
    if (errnoOf(error) === 'EEXIST') throw alreadyThere(error)
    throw toFileUploadError(error)
  }
  await mapped(root.sync(place.directory))
}

function alreadyThere(cause: unknown): UploadError {
  return new UploadError('ALREADY_EXISTS', 'a file of this name exists already, and is left as it is', { cause })
}

/** What file systems without hard links say of one. */
const noLinks: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** Of several writers one gets the name: a link is made, or it is not. */
async function moveIfAbsent(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!noLinks.includes(errnoOf(error))) throw error
    return reserve(temporary, path)
  }
  // It is in its place; a second name of it among the temporary files is removed with these.
  await unlink(temporary).catch(() => {})
}

/** An empty file takes the name first: no other can then, though readers may see it for a moment. */
async function reserve(temporary: string, path: string): Promise<void> {
  await (await open(path, 'wx')).close()
  try {
    await rename(temporary, path)
  } catch (error) {
    await unlink(path).catch(() => {})
    throw error
  }
}

/** @throws UploadError KEY_INVALID where a directory has the object's name */
export async function refuseDirectory({ path }: Place): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory()) throw new UploadError('KEY_INVALID', 'the destination has a directory of that name')
}
