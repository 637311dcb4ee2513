import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openFileDestination } from '../../src/destinations/file/index.ts'
import { tempDir } from '../support/temp-dir.ts'
import { someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { storeObject } from './store-object.ts'

const MiB = 2 ** 20
const second = 1_000_000_000n

it.each([
  ['a whole second', 1_763_800_000n * second],
  ['a whole millisecond', 1_763_800_000n * second + 123_000_000n],
  ['a whole microsecond', 1_763_800_000n * second + 123_457_000n],
  ['nanoseconds', 1_763_800_000n * second + 123_456_789n],
  ['after 2038', 3_763_800_000n * second + 999_999_999n],
  ['before 1970', -5n * second],
])('a directory keeps modification times to the microsecond: %s', async (_, mtimeNs) => {
  const directory = await tempDir()
  const destination = openFileDestination({ url: 'file:x/', directory })
  for (const [key, size] of [
    ['whole', 1000],
    ['parts', 10 * MiB + 1],
  ] as const) {
    await storeObject(destination, { ...anObject(key), mtimeNs }, someBytes(size))
    const stats = await stat(join(directory, key), { bigint: true })
    const away = stats.mtimeNs - mtimeNs
    expect(away > -1000n && away < 1000n, `${key} is ${away} ns away`).toBe(true)
    expect(stats.size).toBe(BigInt(size))
  }
  await destination.close()
})

it('the time of a file is that of its last write where none is to be kept', async () => {
  const directory = await tempDir()
  const destination = openFileDestination({ url: 'file:x/', directory })
  await storeObject(destination, anObject('k'), someBytes(10))
  expect((await stat(join(directory, 'k'))).mtimeMs).toBeGreaterThan(Date.UTC(2026, 0))
  await destination.close()
})
