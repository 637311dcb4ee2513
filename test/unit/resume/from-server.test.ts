import { createHash, randomBytes } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { base64OfCrc32 } from '../../../src/checksums/checksummer.ts'
import type { Destination, ObjectInfo, Part, UnfinishedUpload } from '../../../src/destinations/destination.ts'
import { UploadError } from '../../../src/errors.ts'
import { earlierFromServer } from '../../../src/resume/from-server.ts'
import type { EarlierFile } from '../../../src/transfer/earlier.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { planned } from '../transfer/scene.ts'

const MiB = 2 ** 20
const bytes = randomBytes(5000)
const md5 = (data: Uint8Array): string => createHash('md5').update(data).digest('hex')
const never = new AbortController().signal

interface There {
  readonly info?: Partial<ObjectInfo> | undefined
  readonly unfinished?: readonly UnfinishedUpload[] | Error
  readonly parts?: readonly Part[]
  readonly minPartSize?: number
}

function start({ info, unfinished = [], parts = [], minPartSize = 1 }: There) {
  const fake = createFakeDestination({ multipart: {}, limits: { minPartSize } })
  const said: string[] = []
  const asked: string[] = []
  let released = 0
  const destination: Destination = {
    ...fake,
    headObject: async (key, _call, wanted) => {
      asked.push(`head ${key}${wanted?.checksum ? ' with its checksum' : ''}`)
      return info && { key, size: bytes.length, ...info }
    },
    multipart: {
      create: () => expect.fail('nothing is begun'),
      async *list(prefix) {
        asked.push(`list ${prefix}`)
        if (unfinished instanceof Error) throw unfinished
        yield* unfinished
      },
      resume: async (uploadId) =>
        uploadId === 'gone'
          ? undefined
          : {
              uploadId,
              partSize: 1,
              maxConcurrentParts: 1,
              listParts: async () => parts,
              uploadPart: () => expect.fail('nothing is sent'),
              complete: () => expect.fail('nothing is completed'),
              abort: () => expect.fail('nothing is removed'),
              release: async () => {
                released += 1
              },
            },
    },
  }
  const earlier = earlierFromServer(destination, {
    settings: { partSize: 8 * MiB },
    prefix: 'audio/',
    signal: never,
    say: (message) => said.push(message),
  })
  return { earlier, said, asked, released: () => released }
}

async function aFile(): Promise<ReturnType<typeof planned>> {
  const absolute = join(await tempDir(), 'a.wav')
  await writeFile(absolute, bytes)
  return planned(1, { absolute, size: bytes.length, mtimeMs: (await stat(absolute)).mtimeMs })
}

async function find(there: There): Promise<EarlierFile | undefined> {
  return start(there).earlier.find(await aFile(), never)
}

const checksum = { algorithm: 'crc32' as const, value: base64OfCrc32(crc32(bytes)) }

describe('what the destination holds of a file', () => {
  it.each<[string, There['info'], boolean]>([
    ['its checksum', { checksum }, true],
    ['another checksum, whatever its ETag', { checksum: { ...checksum, value: 'AAAAAA==' }, etag: md5(bytes) }, false],
    ['its MD5 as the ETag', { etag: `"${md5(bytes)}"` }, true],
    ['another ETag', { etag: `"${md5(Buffer.of(1))}"` }, false],
    ['the ETag of one part', { etag: `"${md5(Buffer.from(md5(bytes), 'hex'))}-1"` }, true],
    ['nothing to compare', { etag: '"opaque"' }, false],
    ['another size', { checksum, size: 1 }, false],
    ['nothing', undefined, false],
  ])('is done with %s: %o %s', async (_what, info, isDone) => {
    const found = await find({ info })
    expect(found?.done?.status).toBe(isDone ? 'uploaded' : undefined)
  })

  it('makes a line of what is there', async () => {
    const file = await aFile()
    const { earlier, asked } = start({ info: { etag: '"e"', versionId: 'v', checksum } })
    expect(await earlier.find(file)).toMatchObject({
      key: file.key,
      done: { path: file.path, size: bytes.length, etag: '"e"', versionId: 'v', checksum, bytesSent: 0 },
    })
    expect(asked).toEqual([`head ${file.key} with its checksum`])
  })

  it('says once that nothing can be compared', async () => {
    const file = await aFile()
    const { earlier, said } = start({ info: { etag: '"opaque"' } })
    await earlier.find(file)
    await earlier.find(file)
    expect(said).toEqual([expect.stringContaining('nothing of audio/take-1.wav that could be compared')])
  })

  it('is nothing where standard input is the source, and cannot be told of a file that is gone', async () => {
    const { earlier, asked } = start({ info: { checksum } })
    expect(await earlier.find(planned(1, { path: '-', absolute: '-' }))).toBeUndefined()
    expect(asked).toEqual([])
    await expect(earlier.find(planned(1, { absolute: '/nowhere/at/all' }))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    })
  })
})

describe('half-sent uploads', () => {
  const upload = (uploadId: string, at: number, key = 'audio/take-1.wav'): UnfinishedUpload => ({
    key,
    uploadId,
    initiatedAt: new Date(at),
  })
  const parts = [
    { partNumber: 1, size: 2000 },
    { partNumber: 3, size: 1000 },
  ]

  it('the newest of the key is gone on with, its parts as large as the largest; they are listed once', async () => {
    const file = await aFile()
    const unfinished = [upload('old', 1), upload('new', 3), upload('older', 2), upload('other', 9, 'audio/other')]
    const { earlier, asked, released } = start({ unfinished, parts })
    const expected = { uploadId: 'new', partSize: 2000, size: undefined, mtime: undefined, parts: [] }
    expect(await earlier.find(file)).toEqual({ key: file.key, unfinished: expected })
    await earlier.find(file)
    expect(asked.filter((what) => what.startsWith('list'))).toEqual(['list audio/'])
    expect(released()).toBe(2)
  })

  it.each<[string, There]>([
    ['that is gone by now', { unfinished: [upload('gone', 1)], parts }],
    ['without a part', { unfinished: [upload('new', 1)] }],
    ['with parts too small to be whole ones', { unfinished: [upload('new', 1)], parts, minPartSize: 5 * MiB }],
    ['of no known key', { unfinished: [{ ...upload('new', 1), key: undefined }], parts }],
  ])('one %s is left alone', async (_what, there) => {
    expect(await find(there)).toBeUndefined()
  })

  it('that may not be listed are done without, which is said once', async () => {
    const file = await aFile()
    const { earlier, said, asked } = start({ unfinished: new UploadError('ACCESS_DENIED', 'not allowed') })
    expect([await earlier.find(file), await earlier.find(file)]).toEqual([undefined, undefined])
    expect(said).toEqual(['half-sent uploads are not gone on with: not allowed'])
    expect(asked.filter((what) => what.startsWith('list'))).toHaveLength(1)
  })

  it('are listed anew where that failed for now', async () => {
    const file = await aFile()
    const { earlier, asked } = start({ unfinished: new UploadError('CONNECTION', 'reset') })
    await expect(earlier.find(file)).rejects.toMatchObject({ code: 'CONNECTION' })
    await expect(earlier.find(file)).rejects.toMatchObject({ code: 'CONNECTION' })
    expect(asked.filter((what) => what.startsWith('list'))).toHaveLength(2)
  })
})
