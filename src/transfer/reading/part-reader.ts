import { close, fstat, open, read } from 'node:fs'
import type { PartReader } from '../../destinations/destination.ts'
import { sourceError } from '../../plan/source-errors.ts'
import { copyHeld, heldReader } from '../stdin/held-bytes.ts'
import { changed, changeSince, type FileFacts, type FileRange } from './file-facts.ts'

/**
 * Reads all of a small range at once, and compares the file with what it was. Callbacks, since promises of their own
 * for each step cost as much as the request that is made of the bytes.
 *
 * @param into has room for one byte more than the range: by that a file that grew shows
 * @throws UploadError SOURCE_*
 */
export function readWhole(facts: FileFacts, range: FileRange, into: Buffer): Promise<void> {
  if (facts.held !== undefined) {
    copyHeld(facts.held, range.start, into.subarray(0, range.size))
    return Promise.resolve()
  }
  return new Promise((resolve, reject) => {
    open(facts.absolute, 'r', (error, fd) => {
      if (error) return reject(sourceError(error))
      const end = (failure: unknown): void => {
        close(fd, () => (failure ? reject(sourceError(failure)) : resolve()))
      }
      const isToItsEnd = range.start + range.size === facts.size
      const wanted = range.size + (isToItsEnd ? 1 : 0)
      const finish = (bytesRead: number): void => {
        if (bytesRead < range.size) end(changed('it became shorter'))
        else if (bytesRead > range.size) end(changed('it became longer'))
        else fstat(fd, (error, stats) => end(error ?? changeSince(facts, stats)))
      }
      const readOn = (done: number): void => {
        read(fd, into, done, wanted - done, range.start + done, (error, bytesRead) => {
          if (error) return end(error)
          const total = done + bytesRead
          // A read may well give less than there is, over a network say.
          if (bytesRead === 0 || total >= range.size) return finish(total)
          readOn(total)
        })
      }
      readOn(0)
    })
  })
}

/**
 * Opens a range of a file to be read piece by piece.
 *
 * @throws UploadError SOURCE_*
 */
export async function openPartReader(facts: FileFacts, range: FileRange): Promise<PartReader> {
  if (facts.held !== undefined) return heldReader(facts.held, range)
  const fd = await new Promise<number>((resolve, reject) => {
    open(facts.absolute, 'r', (error, fd) => (error ? reject(sourceError(error)) : resolve(fd)))
  })
  return {
    read: (into, offset) =>
      new Promise((resolve, reject) => {
        const wanted = Math.min(into.length, range.size - offset)
        read(fd, into, 0, wanted, range.start + offset, (error, bytesRead) => {
          if (error) return reject(sourceError(error))
          if (bytesRead === 0 && wanted > 0) return reject(changed('it became shorter'))
          resolve(bytesRead)
        })
      }),
    compare: () =>
      new Promise((resolve, reject) => {
        fstat(fd, (error, stats) => {
          const failure = error ?? changeSince(facts, stats)
          return failure ? reject(sourceError(failure)) : resolve()
        })
      }),
    close: () => new Promise((resolve) => close(fd, () => resolve())),
  }
}
