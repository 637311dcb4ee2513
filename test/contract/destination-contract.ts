import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Destination, ObjectToPut } from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'
import { awkwardKeys } from './awkward-keys.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { testMultipart } from './multipart-contract.ts'

/** A destination under test, and a look at what it holds without its help. */
export interface Subject {
  readonly destination: Destination
  /** Another one over the same store, as after a restart. */
  reopen(): Destination | Promise<Destination>
  /** The bytes stored under a key. */
  read(key: string): Promise<Uint8Array | undefined>
  /** Every key stored. */
  keys(): Promise<readonly string[]>
  /** What unfinished uploads have left behind. */
  leftovers(): Promise<readonly string[]>
  close(): Promise<void>
}

const MiB = 2 ** 20

/** The object tests put: 5 MiB parts, the least S3 takes. */
export function anObject(key: string): ObjectToPut {
  return { key, contentType: 'audio/wav', partSize: 5 * MiB }
}

/** What every destination does, whatever is behind it. */
export function testDestination(name: string, open: () => Promise<Subject>): void {
  describe(`${name} as a destination`, () => {
    let subject: Subject
    let destination: Destination
    beforeEach(async () => {
      subject = await open()
      destination = subject.destination
    })
    afterEach(() => subject.close())

    const put = (key: string, bytes: Uint8Array, call = aCall()) =>
      destination.putObject(anObject(key), bodyOf(bytes), call)

    it('names itself by a URL that ends in a slash', () => {
      expect(destination.url).toMatch(/^\w+:.*\/$/)
    })

    it.each([
      ['an empty object', 0],
      ['one byte', 1],
      ['one buffer', 64 * 1024],
      ['several buffers and a bit', 3 * 64 * 1024 + 17],
      ['just below several parts', 10 * MiB - 1],
      ['several parts exactly', 10 * MiB],
      ['several parts and a byte', 10 * MiB + 1],
    ])('stores %s', async (_, size) => {
      const bytes = someBytes(size)
      const sent: number[] = []
      const info = await put('a/object.wav', bytes, aCall({ onBytes: (count) => sent.push(count) }))
      expect(info).toMatchObject({ key: 'a/object.wav', size })
      expect(Buffer.compare((await subject.read('a/object.wav')) ?? Buffer.of(), bytes)).toBe(0)
      expect(sent).toEqual(sent.toSorted((a, b) => a - b))
      if (size > 0) expect(sent.at(-1)).toBe(size)
      expect(await subject.leftovers()).toEqual([])
    })

    it('replaces an object', async () => {
      await put('k', someBytes(300_000, 1))
      await put('k', someBytes(1000, 2))
      expect(await subject.read('k')).toEqual(someBytes(1000, 2))
      expect(await subject.keys()).toEqual(['k'])
    })

    it.each(awkwardKeys)('stores and finds the key %j', async (key) => {
      const bytes = Buffer.from(key)
      expect(destination.limits.keyProblem(key)).toBeUndefined()
      await put(key, bytes)
      expect(await subject.keys()).toEqual([key])
      expect(await subject.read(key)).toEqual(bytes)
      expect(await destination.headObject(key, aCall())).toMatchObject({ key, size: bytes.length })
      await destination.deleteObject(key, undefined, aCall())
      expect(await subject.keys()).toEqual([])
    })

    it('finds no object where there is none', async () => {
      await put('there/it-is', Buffer.of(1))
      for (const key of ['missing', 'there', 'there/missing', 'there/it-is/below', 'no/such/directory']) {
        expect(await destination.headObject(key, aCall()), key).toBeUndefined()
      }
    })

    it('says when an object was stored', async () => {
      const before = Date.now()
      await put('k', Buffer.of(1))
      const found = await destination.headObject('k', aCall())
      expect(Math.abs((found?.lastModified?.getTime() ?? 0) - before)).toBeLessThan(60_000)
    })

    it('removes an object, and does not mind one that is not there', async () => {
      await put('a/b', Buffer.of(1))
      await destination.deleteObject('a/b', undefined, aCall())
      await destination.deleteObject('a/b', undefined, aCall())
      await destination.deleteObject('never/was/there', undefined, aCall())
      expect(await subject.keys()).toEqual([])
    })

    it('lists by prefix, in the order of bytes', async () => {
      const keys = ['a.txt', 'a/1', 'a/b/2', 'a/b3', 'ab', 'b', 'é', '😀', '\u{fb01}']
      for (const key of keys) await put(key, Buffer.from(key))
      const listed = async (prefix: string) => {
        const found: string[] = []
        for await (const { key, size } of destination.listObjects?.(prefix, aCall()) ?? []) {
          expect(size).toBe(Buffer.byteLength(key))
          found.push(key)
        }
        return found
      }
      const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await listed('')).toEqual(sorted)
      expect(await listed('a/')).toEqual(['a/1', 'a/b/2', 'a/b3'])
      expect(await listed('a/b')).toEqual(['a/b/2', 'a/b3'])
      expect(await listed('none/')).toEqual([])
    })

    it.each([
      ['a small object', 0, 300_000],
      ['a large object', 7 * MiB, 20 * MiB],
    ])('leaves nothing of %s whose body fails, and passes the failure on', async (_, bytesBefore, size) => {
      await put('k', someBytes(10))
      const error = new UploadError('SOURCE_CHANGED', 'it changed while it was read')
      const body = bodyOf(someBytes(size), { failAfter: { bytes: bytesBefore, error } })
      await expect(destination.putObject(anObject('k'), body, aCall())).rejects.toBe(error)
      expect(await subject.read('k')).toEqual(someBytes(10))
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([
      ['shorter', 1000, 1001],
      ['longer', 1001, 1000],
      ['shorter, in its last part', 12 * MiB, 12 * MiB + 1],
    ])('refuses a body that is %s than it said', async (_, size, said) => {
      const body = bodyOf(someBytes(size), { size: said })
      const outcome = destination.putObject(anObject('k'), body, aCall())
      await expect(outcome).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
      expect(await subject.keys()).toEqual([])
      expect(await subject.leftovers()).toEqual([])
    })

    it('does not begin once it is stopped', async () => {
      const outcome = put('k', someBytes(10), aCall({ signal: AbortSignal.abort() }))
      await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(await subject.keys()).toEqual([])
    })

    it('stops at once, in the middle of a body that hangs, and leaves nothing', async () => {
      const controller = new AbortController()
      const body = bodyOf(someBytes(20 * MiB), {
        hangAfter: { bytes: 12 * MiB, onHang: () => setImmediate(() => controller.abort()) },
      })
      const outcome = destination.putObject(anObject('k'), body, aCall({ signal: controller.signal }))
      await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(await subject.keys()).toEqual([])
      expect(await subject.leftovers()).toEqual([])
    })

    it('holds many objects put at once', async () => {
      const keys = Array.from({ length: 50 }, (_, at) => `dir-${at % 7}/object-${at}`)
      await Promise.all(keys.map((key, at) => put(key, someBytes(1000 + at, at + 1))))
      for (const [at, key] of keys.entries()) expect(await subject.read(key), key).toEqual(someBytes(1000 + at, at + 1))
    })

    testMultipart(() => subject)
  })
}
