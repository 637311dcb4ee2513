import { utimes } from 'node:fs/promises'
import { buffer, text } from 'node:stream/consumers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { someBytes } from '../contract/bodies.ts'
import { anObject } from '../contract/destination-contract.ts'
import { failureOf } from '../contract/s3-fast.ts'
import { credentialEnvironment, s3Settings } from '../contract/s3-settings.ts'
import { storeObject } from '../contract/store-object.ts'
import { expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { forEachServer } from '../support/each-server.ts'
import { readJournal } from '../support/journal.ts'
import { engines } from '../support/settings.ts'

const MiB = 2 ** 20

forEachServer((test) => {
  for (const engine of engines) {
    it(`--engine ${engine} --if-exists: what is there stays`, async () => {
      const { server, ws, withPlace } = test()
      const sources = `there-${engine}`
      await ws.write(`${sources}/small.txt`, 'the first')
      await ws.write(`${sources}/large.bin`, bytes('bin', 12 * MiB))
      await withPlace(async (place) => {
        const options = `--engine ${engine} --part-size 5MiB --multipart-threshold 5MiB`
        const upload = (rest: string) =>
          ws.run(`upload ${sources} --to ${place.url} ${options} ${rest}`, { env: server.env })

        expectCode(await upload('--if-exists fail --metadata take=1 --cache-control no-cache'), 0)
        await ws.write(`${sources}/small.txt`, 'the second')
        await ws.write(`${sources}/new.txt`, 'new')
        const skipping = await upload('--if-exists skip')
        expectCode(skipping, 0)
        expect(skipping.stderr).toMatch(/✔ 1 uploaded {2}2 skipped/)
        const failing = await upload('--if-exists fail')
        expectCode(failing, 1)
        expect(failing.stderr).toMatch(/ALREADY_EXISTS {2}3 /)
        expect(await text(await place.read('small.txt'))).toBe('the first')
        expect(await place.size('large.bin')).toBe(12 * MiB)
        expect(await place.keys()).toEqual(['large.bin', 'new.txt', 'small.txt'])
      })
    })

    it.each([
      ['newer', 'not-newer'],
      ['changed', 'unchanged'],
    ] as const)(`--engine ${engine} --if-exists %s: what is %s is not sent again`, async (mode, reason) => {
      const { server, ws, withPlace } = test()
      const sources = `again-${engine}-${mode}`
      const names = Array.from({ length: 119 }, (_, n) => `${sources}/sub/take ${n + 1}.txt`)
      for (const name of names) await ws.write(name, `the words of ${name}`)
      await ws.write(`${sources}/large.bin`, bytes('bin', 12 * MiB))
      await withPlace(async (place) => {
        const options = `--engine ${engine} --part-size 5MiB --multipart-threshold 5MiB --report r.jsonl`
        const upload = () =>
          ws.run(`upload ${sources} --to ${place.url} ${options} --if-exists ${mode}`, { env: server.env })
        expectCode(await upload(), 0)
        const second = await upload()
        expectCode(second, 0)
        const { files, summary } = await readJournal(ws.path('r.jsonl'))
        expect(summary).toMatchObject({ bytesSent: 0, uploaded: 0, skipped: 120 })
        expect(new Set(files.map((file) => file.reason))).toEqual(new Set([reason]))

        const [changed = ''] = names
        await ws.write(changed, `THE WORDS OF ${changed}`)
        const later = new Date(Date.now() + 60_000)
        await utimes(ws.path(changed), later, later)
        expectCode(await upload(), 0)
        expect((await readJournal(ws.path('r.jsonl'))).summary).toMatchObject({ uploaded: 1, skipped: 119 })
        expect(await text(await place.read('sub/take 1.txt'))).toBe(`THE WORDS OF ${changed}`)
      })
    })

    it(`--engine ${engine}: the server itself refuses to replace an object`, async () => {
      const { server, withPlace } = test()
      await withPlace(async (place) => {
        for (const [name, value] of Object.entries({ ...credentialEnvironment, ...server.env })) vi.stubEnv(name, value)
        const url = { url: place.url, bucket: place.bucket }
        const destination = await openS3Destination({ ...s3Settings(server.endpoint), engine }, url)
        onTestFinished(async () => {
          await destination.close()
          vi.unstubAllEnvs()
        })
        const prefix = new URL(place.url).pathname.slice(1)
        const properties = { cacheControl: 'no-cache', metadata: { take: '1' } }
        for (const size of [10, 11 * MiB]) {
          const object = { ...anObject(`${prefix}${size}.bin`), properties, ifAbsent: true }
          await storeObject(destination, object, someBytes(size, 1))
          const error = await failureOf(storeObject(destination, object, someBytes(size, 2)))
          expect(error).toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
          expect((await buffer(await place.read(`${size}.bin`))).equals(someBytes(size, 1))).toBe(true)
        }
      })
    })
  }
})
