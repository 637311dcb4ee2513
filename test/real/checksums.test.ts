import { buffer } from 'node:stream/consumers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type { Destination, ObjectToPut, Part } from '../../src/destinations/destination.ts'
import type { S3DestinationSettings } from '../../src/destinations/s3/engine.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { aCall, bodyOf, someBytes } from '../contract/bodies.ts'
import { credentialEnvironment, s3Settings } from '../contract/s3-settings.ts'
import { forEachServer, type ServerTest } from '../support/each-server.ts'
import { engines } from '../support/settings.ts'

const MiB = 2 ** 20
const algorithms = ['auto', 'crc32', 'crc32c', 'crc64nvme', 'sha256', 'none'] as const
const bytes = someBytes(12 * MiB + 7, 3)

async function open(
  { server }: ServerTest,
  bucket: string,
  settings: Partial<S3DestinationSettings>,
): Promise<{ readonly destination: Destination; readonly warnings: readonly string[] }> {
  for (const [name, value] of Object.entries({ ...credentialEnvironment, ...server.env })) vi.stubEnv(name, value)
  const warnings: string[] = []
  const destination = await openS3Destination(
    { ...s3Settings(server.endpoint), ...settings },
    { url: `s3://${bucket}/`, bucket },
    (message) => warnings.push(message),
  )
  onTestFinished(async () => {
    await destination.close()
    vi.unstubAllEnvs()
  })
  return { destination, warnings }
}

forEachServer((test) => {
  for (const engine of engines) {
    it.each(algorithms)(
      `--engine ${engine} --checksum %s: stored as sent, and never told otherwise`,
      async (checksum) => {
        const { withPlace } = test()
        await withPlace(async (place) => {
          const { destination, warnings } = await open(test(), place.bucket, { engine, checksum })
          const prefix = new URL(place.url).pathname.slice(1)
          const object = (name: string): ObjectToPut => ({
            key: prefix + name,
            contentType: 'audio/wav',
            partSize: 5 * MiB,
          })
          const put = async (name: string, some: Uint8Array) =>
            destination.putObject(object(name), bodyOf(some), aCall({ requests: 2 }))
          const infos = [
            ['empty', Buffer.of(), await put('empty', Buffer.of())],
            ['small', bytes.subarray(0, 1000), await put('small', bytes.subarray(0, 1000))],
            ['large', bytes, await put('large', bytes)],
          ] as const
          const all = [...infos, ['parts', bytes, await inParts(destination, object('parts'))] as const]
          for (const [name, some, info] of all) {
            if (info === undefined) continue
            expect((await buffer(await place.read(name))).equals(some), name).toBe(true)
            const asked = await destination.headObject(object(name).key, aCall(), { checksum: true })
            expect(asked?.size).toBe(some.length)
            for (const told of [info.checksum, asked?.checksum]) {
              if (told !== undefined) expect(told.value, name).toBe(await checksummerOf(told.algorithm).of(some))
            }
          }
          // Where none is sent, a server may well make one of its own.
          if (checksum !== 'none') expect(infos.map(([, , info]) => info.checksum !== undefined)).not.toContain(false)
          expect(warnings).toEqual([])
        })
      },
    )
  }
})

async function inParts(destination: Destination, object: ObjectToPut) {
  const upload = await destination.multipart?.create(object, aCall())
  if (upload === undefined) return undefined
  const parts: Part[] = []
  for (let from = 0; from < bytes.length; from += object.partSize) {
    const body = bodyOf(bytes.subarray(from, from + object.partSize))
    parts.push(await upload.uploadPart(parts.length + 1, body, aCall()))
  }
  return upload.complete(parts, aCall())
}
