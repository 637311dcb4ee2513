import { appendFile, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createPartLog, readPartLog } from '../../../../src/destinations/file/part-log.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const object = { key: 'a/k', contentType: 'audio/wav', partSize: 100 }

async function logWith(...partNumbers: number[]): Promise<string> {
  const path = join(await tempDir(), 'upload')
  const log = await createPartLog(path, object)
  for (const partNumber of partNumbers) await log.add({ partNumber, size: 100 })
  return path
}

const numbers = async (path: string, size = 1000) =>
  (await readPartLog(path, 'a/k', size))?.parts().map((part) => part.partNumber)

it('gives the parts in order, whatever the order they came in', async () => {
  expect(await numbers(await logWith(3, 1, 2))).toEqual([1, 2, 3])
})

it('does not count a part that is being written again', async () => {
  const path = await logWith(1, 2)
  const log = await readPartLog(path, 'a/k', 1000)
  await log?.forget(1)
  await log?.forget(7)
  expect(await numbers(path)).toEqual([2])
  await log?.add({ partNumber: 1, size: 50 })
  expect(await numbers(path)).toEqual([1, 2])
})

it('does not count a part behind the end of the file', async () => {
  expect(await numbers(await logWith(1, 2, 3), 299)).toEqual([1, 2])
})

it('survives a torn last line, and what is written after it', async () => {
  const path = await logWith(1, 2)
  const text = await readFile(`${path}.parts`, 'utf8')
  await truncate(`${path}.parts`, text.length - 5)
  expect(await numbers(path)).toEqual([1])
  const log = await readPartLog(path, 'a/k', 1000)
  await log?.add({ partNumber: 3, size: 100 })
  expect(await numbers(path)).toEqual([1, 3])
})

it.each([
  ['nothing', ''],
  ['no JSON', 'what is this?\n'],
  ['no part size', '{"key":"a/k"}\n'],
  ['another key', '{"key":"b","partSize":100}\n'],
  ['a torn first line', '{"key":"a/k","partSize":1'],
])('is none where it holds %s', async (_, text) => {
  const path = join(await tempDir(), 'upload')
  await appendFile(`${path}.parts`, text)
  expect(await readPartLog(path, 'a/k', 1000)).toBeUndefined()
})

it('is none once it is removed', async () => {
  const path = await logWith(1)
  const log = await readPartLog(path, 'a/k', 1000)
  await log?.remove()
  await log?.remove()
  expect(await readPartLog(path, 'a/k', 1000)).toBeUndefined()
})
