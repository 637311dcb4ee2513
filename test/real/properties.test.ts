import { utimes } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { writeContents } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { readByBoto3, runRclone } from '../support/other-clients.ts'
import { engines } from '../support/settings.ts'
import { makeWorkspace, type Workspace } from '../support/workspace.ts'

const { UPLOAD_TEST_MOTO: motoServer, UPLOAD_TEST_PYTHON: python, UPLOAD_TEST_RCLONE: rclone } = process.env
if (!python) console.log('Not tried: what boto3 and moto say of properties, since there is no Python that has them.')
if (!rclone) console.log('Not tried: what rclone says of modification times, since there is no rclone.')

const MiB = 2 ** 20
/** Sent as a whole, and in parts. */
const inParts = ['--part-size', '5MiB', '--multipart-threshold', '5MiB']
const keyId = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** Two files in a folder of the workspace. */
async function sources(ws: Workspace, folder = 'in'): Promise<void> {
  await writeContents(ws.path(folder, 'small.txt'), 'txt', 1000, 1)
  await writeContents(ws.path(folder, 'dir', 'large.wav'), 'bin', 11 * MiB + 7, 2)
  await utimes(ws.path(folder, 'small.txt'), 1_763_800_000.5, 1_763_800_000.5)
}

if (python && motoServer) {
  describe('moto, read by boto3', () => {
    let moto: Moto
    let ws: Awaited<ReturnType<typeof makeWorkspace>>

    beforeAll(async () => {
      moto = await startMoto(motoServer)
      ws = await makeWorkspace()
      await sources(ws)
    })
    afterAll(async () => {
      await moto?.stop()
      await ws?.remove()
    })

    for (const engine of engines) {
      it(`--engine ${engine}: every property, of whole objects and of those in parts`, async () => {
        const bucket = await moto.bucket()
        const properties = [
          ...['--cache-control', 'max-age=60, public', '--content-encoding', 'gzip'],
          ...['--content-disposition', 'attachment; filename="take 1"', '--storage-class', 'STANDARD_IA'],
          ...['--metadata', 'artist=A b', '--metadata', 'Take=1', '--tag', 'project=a b+c', '--tag', 'owner=ü'],
          ...['--sse', 'aws:kms', '--sse-kms-key-id', keyId, '--acl', 'public-read', '--preserve', 'mtime'],
        ]
        const args = ['in', '--to', `s3://${bucket}/x/`, '--engine', engine, ...inParts, ...properties]
        expectCode(await ws.runArgs(args, { env: moto.env }), 0)
        const told = await readByBoto3(python, moto, bucket, 'x/')
        expect(Object.keys(told).sort()).toEqual(['dir/large.wav', 'small.txt'])
        for (const [key, object] of Object.entries(told)) {
          expect(object, key).toMatchObject({
            cacheControl: 'max-age=60, public',
            contentEncoding: 'gzip',
            contentDisposition: 'attachment; filename="take 1"',
            metadata: { artist: 'A b', take: '1', mtime: expect.stringMatching(/^\d{10}(\.\d+)?$/) },
            tags: { project: 'a b+c', owner: 'ü' },
            storageClass: 'STANDARD_IA',
            sse: 'aws:kms',
            sseKmsKeyId: keyId,
          })
          expect(object.grants, key).toContain('READ AllUsers')
        }
        expect(told['small.txt']?.contentType).toBe('text/plain; charset=utf-8')
        expect(told['dir/large.wav']).toMatchObject({ size: 11 * MiB + 7, etag: expect.stringMatching(/-3"$/) })
      })

      it(`--engine ${engine}: encryption with S3's own keys, and nothing that was not asked for`, async () => {
        const bucket = await moto.bucket()
        const run = (prefix: string, ...more: string[]) =>
          ws.runArgs(['in', '--to', `s3://${bucket}/${prefix}/`, '--engine', engine, ...inParts, ...more], {
            env: moto.env,
          })
        expectCode(await run('sse', '--sse', 'AES256'), 0)
        expectCode(await run('plain'), 0)
        for (const object of Object.values(await readByBoto3(python, moto, bucket, 'sse/'))) {
          expect(object).toMatchObject({ sse: 'AES256', sseKmsKeyId: null })
        }
        for (const object of Object.values(await readByBoto3(python, moto, bucket, 'plain/'))) {
          expect(object).toMatchObject({
            ...{ cacheControl: null, contentEncoding: null, contentDisposition: null, metadata: {}, tags: {} },
          })
          expect(object.grants.join()).not.toContain('AllUsers')
          expect(['STANDARD', null]).toContain(object.storageClass)
        }
      })
    }
  })
}

forEachServer((test) => {
  for (const engine of engines) {
    if (python) {
      it(`--engine ${engine}: what boto3 reads of it`, async () => {
        const { server, ws, withPlace } = test()
        await sources(ws, `read-${engine}`)
        await withPlace(async (place) => {
          const properties = [
            ...['--cache-control', 'max-age=60', '--content-encoding', 'gzip', '--content-disposition', 'inline'],
            ...['--metadata', 'artist=A b', '--preserve', 'mtime', '--tag', 'project=a b'],
          ]
          const args = [`read-${engine}`, '--to', place.url, '--engine', engine, ...inParts, ...properties]
          expectCode(await ws.runArgs(args, { env: server.env }), 0)
          const told = await readByBoto3(python, server, place.bucket, new URL(place.url).pathname.slice(1))
          expect(Object.keys(told).sort()).toEqual(['dir/large.wav', 'small.txt'])
          expect(told['small.txt']?.metadata.mtime).toBe('1763800000.5')
          for (const [key, object] of Object.entries(told)) {
            expect(object, key).toMatchObject({
              ...{ cacheControl: 'max-age=60', contentEncoding: 'gzip', contentDisposition: 'inline' },
              metadata: { artist: 'A b', mtime: expect.any(String) },
              // It has no tags.
              tags: server.name === 'rclone' ? {} : { project: 'a b' },
            })
          }
        })
      })
    }

    if (rclone) {
      it(`--engine ${engine} --preserve mtime: rclone finds nothing to do`, async () => {
        const { server, ws, withPlace } = test()
        const folder = `checked-${engine}`
        await sources(ws, folder)
        await ws.writeAll(`${folder}/old.txt`, `${folder}/dir/ü #1%.csv`)
        await utimes(ws.path(folder, 'old.txt'), 1_000_000_000, 1_000_000_000)
        await withPlace(async (place) => {
          const args = [folder, '--to', place.url, '--engine', engine, ...inParts, '--preserve', 'mtime']
          expectCode(await ws.runArgs(args, { env: server.env }), 0)
          const remote = `s3:${place.bucket}/${new URL(place.url).pathname.slice(1)}`
          const run = (...words: string[]) => runRclone(rclone, server, words, ws.path('.'))
          const listed = (text: string) =>
            text
              .trimEnd()
              .split('\n')
              .map((line) => line.trim())
              .sort()
          expect(listed(await run('lsl', remote))).toEqual(listed(await run('lsl', folder)))
          expect(await run('check', folder, remote, '--download')).toContain('0 differences found')
          expect(await run('sync', folder, remote, '--dry-run', '-v')).not.toMatch(
            /Skipped|NOTICE.*(?:copy|delete|update)/i,
          )
          expect(await run('check', folder, remote)).toContain('0 differences found')
          // Were there a difference, it would be told.
          await utimes(ws.path(folder, 'old.txt'), 1_000_000_001, 1_000_000_001)
          expect(await run('sync', folder, remote, '--dry-run', '-v')).toMatch(/old\.txt: Skipped/)
        })
      })
    }
  }
})
