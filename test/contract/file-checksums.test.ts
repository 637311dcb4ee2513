import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type { ObjectToPut, Part } from '../../src/destinations/destination.ts'
import { openFileDestination } from '../../src/destinations/file/index.ts'
import { makeTempDir } from '../support/temp-dir.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'

const object: ObjectToPut = { key: 'a/k', contentType: 'audio/wav', partSize: 100_000 }
const crc32 = (bytes: Uint8Array) => ({ algorithm: 'crc32', value: checksummerOf('crc32').of(bytes) })

async function open() {
  const temp = await makeTempDir()
  const directory = join(temp.path, 'bucket')
  const openOne = () => openFileDestination({ url: `file:${directory}/`, directory: `${directory}/` })
  const destination = openOne()
  onTestFinished(async () => {
    await destination.close()
    await temp.remove()
  })
  return { directory, destination, openOne }
}

it.each([0, 1, 3 * 2 ** 20 + 5])('a directory says the checksum of %i bytes it took', async (size) => {
  const { destination, directory } = await open()
  const bytes = someBytes(size)
  expect((await destination.putObject(object, bodyOf(bytes), aCall())).checksum).toEqual(crc32(bytes))
  expect((await destination.headObject('a/k', aCall()))?.checksum).toBeUndefined()
  expect((await destination.headObject('a/k', aCall(), { checksum: true }))?.checksum).toEqual(crc32(bytes))

  const others = Buffer.from('written by another program')
  await writeFile(join(directory, 'a', 'k'), others)
  expect((await destination.headObject('a/k', aCall(), { checksum: true }))?.checksum).toEqual(crc32(others))
  expect(await destination.headObject('a/other', aCall(), { checksum: true })).toBeUndefined()
})

it('a directory says the checksum of parts, also of those that were there before, and of the whole', async () => {
  const { destination, openOne } = await open()
  const bytes = someBytes(250_000)
  const partOf = (number: number) => bytes.subarray((number - 1) * 100_000, number * 100_000)
  const upload = await destination.multipart?.create(object, aCall())
  const second = await upload?.uploadPart(2, bodyOf(partOf(2)), aCall())
  expect(second?.checksum).toEqual(crc32(partOf(2)))

  const again = openOne()
  onTestFinished(() => again.close())
  const resumed = await again.multipart?.resume(upload?.uploadId ?? '', object, aCall())
  for (const number of [1, 3]) await resumed?.uploadPart(number, bodyOf(partOf(number)), aCall())
  const parts = await resumed?.listParts(aCall())
  expect(parts?.map(({ checksum }) => checksum)).toEqual([1, 2, 3].map((number) => crc32(partOf(number))))
  expect((await resumed?.complete(parts as Part[], aCall()))?.checksum).toEqual(crc32(bytes))
})

it('a directory stops reading for a checksum when it is told to', async () => {
  const { destination } = await open()
  await destination.putObject(object, bodyOf(someBytes(1000)), aCall())
  const call = aCall({ signal: AbortSignal.abort() })
  await expect(destination.headObject('a/k', call, { checksum: true })).rejects.toMatchObject({ code: 'CANCELLED' })
})
