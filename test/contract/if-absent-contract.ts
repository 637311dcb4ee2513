import { describe, expect, it } from 'vitest'
import type { ObjectToPut } from '../../src/destinations/destination.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject, partSizeOf, type Subject, type Traits } from './destination-contract.ts'
import { storeObject } from './store-object.ts'

/** What every destination does about an object that is there already, and about what is to be kept beside the bytes. */
export function testIfAbsent(current: () => Subject, traits: Traits): void {
  const partSize = partSizeOf(traits)
  const inParts = 2 * partSize + 2 ** 20
  const onlyNew = (key: string): ObjectToPut => ({ ...anObject(key, partSize), ifAbsent: true })

  if (traits.ignoresIfAbsent) testIgnored(current, onlyNew, inParts)
  else testKept(current, onlyNew, inParts)

  it.each([
    ['a whole object', 1000],
    ['an object in parts', inParts],
  ])('takes properties with %s, whether it keeps them or not', async (_name, size) => {
    const { destination, read } = current()
    const properties = { cacheControl: 'max-age=60', metadata: { Author: 'A b', 'take.no': '', x: 'a=b, "c"' } }
    const bytes = someBytes(size)
    await storeObject(destination, { ...anObject('k', partSize), properties }, bytes)
    expect(Buffer.compare((await read('k')) ?? Buffer.of(), bytes)).toBe(0)
  })
}

type OnlyNew = (key: string) => ObjectToPut

/** It says so: the transfer asks first, and tells the user what that leaves open. */
function testIgnored(current: () => Subject, onlyNew: OnlyNew, inParts: number): void {
  it.each([
    ['a small object', 1000],
    ['an object in parts', inParts],
  ])('replaces %s although that was ruled out, and does not claim otherwise', async (_name, size) => {
    const { destination, read, keys, leftovers } = current()
    expect(destination.ifAbsent).toBe('checked')
    await storeObject(destination, onlyNew('a/k'), someBytes(size, 1))
    const other = someBytes(size, 2)
    expect(await storeObject(destination, onlyNew('a/k'), other)).toMatchObject({ key: 'a/k', size })
    expect(Buffer.compare((await read('a/k')) ?? Buffer.of(), other)).toBe(0)
    expect([await keys(), await leftovers()]).toEqual([['a/k'], []])
  })
}

function testKept(current: () => Subject, onlyNew: OnlyNew, inParts: number): void {
  describe('only where there is nothing', () => {
    it.each([
      ['an empty object', 0],
      ['a small object', 1000],
      ['an object in parts', inParts],
    ])('stores %s once, and leaves the first as it is', async (_name, size) => {
      const { destination, read, keys, leftovers } = current()
      const first = someBytes(size, 1)
      expect(await storeObject(destination, onlyNew('a/k'), first)).toMatchObject({ key: 'a/k', size })
      for (const other of [someBytes(size, 2), someBytes(17, 3)]) {
        const outcome = destination.putObject(onlyNew('a/k'), bodyOf(other), aCall())
        await expect(outcome).rejects.toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
      }
      expect(Buffer.compare((await read('a/k')) ?? Buffer.from('none'), first)).toBe(0)
      expect([await keys(), await leftovers()]).toEqual([['a/k'], []])
    })

    it('refuses an object in parts by its end, whose upload can be removed then', async () => {
      const { destination, read, leftovers } = current()
      const { multipart } = destination
      if (multipart === undefined) return expect(destination.engine).toBe('standard')
      const upload = await multipart.create({ ...onlyNew('k'), size: 1000 }, aCall())
      await destination.putObject(onlyNew('k'), bodyOf(someBytes(10)), aCall())
      const finish = async () => {
        const part = await upload.uploadPart(1, bodyOf(someBytes(1000, 2)), aCall())
        return upload.complete([part], aCall())
      }
      await expect(finish()).rejects.toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
      await upload.abort(aCall())
      expect(await read('k')).toEqual(someBytes(10))
      expect(await leftovers()).toEqual([])
    })

    it('lets one of many win', async () => {
      const { destination, read, leftovers } = current()
      const writers = Array.from({ length: 12 }, (_, at) => someBytes(300_000, at + 1))
      const outcomes = await Promise.allSettled(
        writers.map((bytes) => destination.putObject(onlyNew('dir/k'), bodyOf(bytes), aCall())),
      )
      const won = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
      // One that looks first and stores then may let more of them through.
      if (destination.ifAbsent === 'checked') expect(won).not.toHaveLength(0)
      else expect(won).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS' })
      }
      const stored = (await read('dir/k')) ?? Buffer.of()
      expect(won.some((at) => writers[at]?.equals(stored))).toBe(true)
      expect(await leftovers()).toEqual([])
    })
  })
}
