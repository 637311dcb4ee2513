import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Destination, ObjectToPut } from '../../src/destinations/destination.ts'
import { UploadError } from '../../src/errors.ts'
import { awkwardKeys } from './awkward-keys.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { testIfAbsent } from './if-absent-contract.ts'
import { testMultipart } from './multipart-contract.ts'
import { storeObject } from './store-object.ts'

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
  /** Bytes of objects that have come in so far, as the server counts them. Absent where nobody can ask it. */
  received?(): number
  close(): Promise<void>
}

/** What a destination does otherwise than most. Nothing is passed over for it: what it does instead is tested. */
export interface Traits {
  /** Bytes in each part but the last. Default: 5 MiB, the least S3 takes. */
  readonly partSize?: number
  /** Parts go one after the other, once; what has arrived of one stays. */
  readonly partsInOrder?: boolean
  /** Its half-sent uploads are listed nowhere. */
  readonly hidesUnfinished?: boolean
  /** Nobody is told how large a part is that is there. */
  readonly hidesPartSizes?: boolean
  /** The server replaces an object although that was ruled out. */
  readonly ignoresIfAbsent?: boolean
  /** In which order it lists. Default: of the keys' bytes. */
  readonly listing?: 'by-folder' | 'unknown'
}

const MiB = 2 ** 20

/** Bytes in each part of the objects that tests put. */
export function partSizeOf({ partSize = 5 * MiB }: Traits): number {
  return partSize
}

/** The object tests put. */
export function anObject(key: string, partSize = partSizeOf({})): ObjectToPut {
  return { key, contentType: 'audio/wav', partSize }
}

/** The key of a name, changed as `--key-fix` does where the destination can change it. */
export function keyFor(name: string, { limits }: Destination): string {
  return limits.fixName?.(name) ?? name
}

/** What every destination does, whatever is behind it. */
export function testDestination(name: string, open: () => Promise<Subject>, traits: Traits = {}): void {
  const partSize = partSizeOf(traits)
  describe(`${name} as a destination`, () => {
    let subject: Subject
    let destination: Destination
    beforeEach(async () => {
      subject = await open()
      destination = subject.destination
    })
    afterEach(() => subject.close())

    const put = (key: string, bytes: Uint8Array, call = aCall()) =>
      destination.putObject(anObject(key, partSize), bodyOf(bytes), call)

    it('names itself by a URL that ends in a slash', () => {
      expect(destination.url).toMatch(/^\w+:.*\/$/)
    })

    it.each([
      ['an empty object', 0],
      ['one byte', 1],
      ['one buffer', 64 * 1024],
      ['several buffers and a bit', 3 * 64 * 1024 + 17],
      ['one part exactly', partSize],
      ['one part and a byte', partSize + 1],
      ['just below several parts', 2 * partSize - 1],
      ['several parts exactly', 2 * partSize],
      ['several parts and a byte', 2 * partSize + 1],
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

    it.each([
      ['one part exactly', partSize],
      ['one part and a byte', partSize + 1],
      ['several parts exactly', 3 * partSize],
    ])('stores %s as a transfer does: in parts, where it can be called so', async (_, size) => {
      const bytes = someBytes(size)
      const info = await storeObject(destination, anObject('a/object.wav', partSize), bytes)
      expect(info).toMatchObject({ key: 'a/object.wav', size })
      expect(Buffer.compare((await subject.read('a/object.wav')) ?? Buffer.of(), bytes)).toBe(0)
      expect(await subject.leftovers()).toEqual([])
    })

    it('replaces an object', async () => {
      await put('k', someBytes(300_000, 1))
      await put('k', someBytes(1000, 2))
      expect(await subject.read('k')).toEqual(someBytes(1000, 2))
      expect(await subject.keys()).toEqual(['k'])
    })

    it.each(awkwardKeys)('stores and finds the key %j', async (name) => {
      const bytes = Buffer.from(name)
      const key = keyFor(name, destination)
      if (key !== name) expect(destination.limits.keyProblem(name)).toMatch(/--key-fix/)
      expect(destination.limits.keyProblem(key)).toBeUndefined()
      await put(key, bytes)
      expect(await subject.keys()).toEqual([key])
      expect(await subject.read(key)).toEqual(bytes)
      expect(await destination.headObject(key, aCall())).toMatchObject({ key, size: bytes.length })
      await destination.deleteObject(key, undefined, aCall())
      expect(await subject.keys()).toEqual([])
    })

    it('keeps apart the keys it changes', () => {
      const keys = awkwardKeys.map((name) => keyFor(name, destination))
      const again = keys.map((key) => keyFor(key, destination))
      expect(new Set(keys).size).toBe(awkwardKeys.length)
      // What a name becomes is a name, too: where it is changed once more, it may not become another's key.
      for (const [at, key] of again.entries()) expect(keys.indexOf(key), key).toBeOneOf([-1, at])
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

    it(`lists by prefix, ${orders[traits.listing ?? 'by-bytes']}`, async () => {
      const names = ['a.txt', 'a/1', 'a/b/2', 'a/b3', 'ab', 'b', 'é', '😀', '\u{fb01}']
      const keys = names.map((each) => keyFor(each, destination))
      for (const key of keys) await put(key, Buffer.from(key))
      const listed = async (prefix: string) => {
        const found: string[] = []
        for await (const { key, size } of destination.listObjects?.(prefix, aCall()) ?? []) {
          expect(size).toBe(Buffer.byteLength(key))
          found.push(key)
        }
        return traits.listing === 'unknown' ? found.sort(byBytes) : found
      }
      expect(await listed('')).toEqual(keys.toSorted(traits.listing === 'by-folder' ? byFolder : byBytes))
      expect(await listed('a/')).toEqual(['a/1', 'a/b/2', 'a/b3'])
      expect(await listed('a/b')).toEqual(['a/b/2', 'a/b3'])
      expect(await listed('none/')).toEqual([])
    })

    it.each([
      ['a small object', 0, 300_000],
      ['a large object', partSize + 2 * MiB, 4 * partSize],
    ])('leaves nothing of %s whose body fails, and passes the failure on', async (_, bytesBefore, size) => {
      await put('k', someBytes(10))
      const error = new UploadError('SOURCE_CHANGED', 'it changed while it was read')
      const body = bodyOf(someBytes(size), { failAfter: { bytes: bytesBefore, error } })
      await expect(destination.putObject(anObject('k', partSize), body, aCall())).rejects.toBe(error)
      expect(await subject.read('k')).toEqual(someBytes(10))
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([
      ['shorter', 1000, 1001],
      ['longer', 1001, 1000],
      ['shorter, in its last part', 2 * partSize + 2 * MiB, 2 * partSize + 2 * MiB + 1],
    ])('refuses a body that is %s than it said', async (_, size, said) => {
      const body = bodyOf(someBytes(size), { size: said })
      const outcome = destination.putObject(anObject('k', partSize), body, aCall())
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
      const body = bodyOf(someBytes(4 * partSize), {
        hangAfter: { bytes: 2 * partSize + 2 * MiB, onHang: () => setImmediate(() => controller.abort()) },
      })
      const outcome = destination.putObject(anObject('k', partSize), body, aCall({ signal: controller.signal }))
      await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(await subject.keys()).toEqual([])
      expect(await subject.leftovers()).toEqual([])
    })

    it('holds many objects put at once', async () => {
      const keys = Array.from({ length: 50 }, (_, at) => `dir-${at % 7}/object-${at}`)
      await Promise.all(keys.map((key, at) => put(key, someBytes(1000 + at, at + 1))))
      for (const [at, key] of keys.entries()) expect(await subject.read(key), key).toEqual(someBytes(1000 + at, at + 1))
    })

    testIfAbsent(() => subject, traits)
    testMultipart(() => subject, traits)
  })
}

const orders = { 'by-bytes': 'in the order of bytes', 'by-folder': 'folder by folder', unknown: 'in whatever order' }

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** As servers list that walk through folders: what lies in "a" comes before "a.txt". */
function byFolder(one: string, other: string): number {
  const separated = (key: string) => key.replaceAll('/', '\0')
  return byBytes(separated(one), separated(other))
}
