import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { ObjectInfo } from '../../../../src/destinations/destination.ts'
import { createObjectIndex } from '../../../../src/transfer/existing/object-index.ts'

const sum = 'd41d8cd98f00b204e9800998ecf8427e'
const lastModified = new Date('2026-11-22T07:38:12.345Z')

describe('createObjectIndex', () => {
  it.each<[what: string, object: ObjectInfo, etag: string | undefined]>([
    ['an MD5 sum', { key: 'a', size: 1, lastModified, etag: `"${sum}"` }, `"${sum}"`],
    ['one without quotes, in capitals', { key: 'a', size: 1, lastModified, etag: sum.toUpperCase() }, `"${sum}"`],
    ['that of one part', { key: 'a', size: 1, lastModified, etag: `"${sum}-1"` }, `"${sum}-1"`],
    ['that of 10,000 parts', { key: 'a', size: 2 ** 46, lastModified, etag: `"${sum}-10000"` }, `"${sum}-10000"`],
    ['that of more parts than there can be', { key: 'a', size: 1, lastModified, etag: `"${sum}-10001"` }, undefined],
    ['any other', { key: 'a', size: 1, lastModified, etag: '"0x8DBF"' }, undefined],
    ['none', { key: 'a', size: 0, lastModified }, undefined],
  ])('gives back what was said of an object: %s', (_what, object, etag) => {
    const index = createObjectIndex()
    index.add(object)
    expect(index.find('a')).toEqual({ key: 'a', size: object.size, lastModified, etag })
    expect(index.find('A')).toBeUndefined()
  })

  it('knows no time where none was told', () => {
    const index = createObjectIndex()
    index.add({ key: 'a', size: 1 })
    expect(index.find('a')?.lastModified).toBeUndefined()
  })

  it('goes by the last that was said of a key', () => {
    const index = createObjectIndex()
    index.add({ key: 'a', size: 1, etag: `"${sum}"` })
    index.add({ key: 'b', size: 2 })
    index.add({ key: 'a', size: 3 })
    expect([index.find('a'), index.find('b')]).toMatchObject([{ size: 3, etag: undefined }, { size: 2 }])
  })

  it('finds each of very many, and no other, in 64 bytes an object', async () => {
    const count = 200_000
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    /** What was given up is swept beside the program. */
    const collect = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        gc()
        await setImmediate()
      }
    }
    await collect()
    const before = process.memoryUsage().arrayBuffers
    const index = createObjectIndex()
    for (let n = 0; n < count; n += 1) index.add({ key: `audio/${n}.wav`, size: n, etag: `"${sum}"`, lastModified })
    await collect()
    const taken = process.memoryUsage().arrayBuffers - before
    for (let n = 0; n < count; n += 1) if (index.find(`audio/${n}.wav`)?.size !== n) expect.fail(`${n} is not found`)
    for (let n = 0; n < 1000; n += 1) expect(index.find(`audio/${count + n}.wav`)).toBeUndefined()
    expect(taken / count).toBeLessThan(64)
    expect(taken / count).toBeGreaterThan(40)
  })
})
