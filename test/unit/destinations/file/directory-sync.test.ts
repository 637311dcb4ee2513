import { expect, it } from 'vitest'
import { createDirectorySync } from '../../../../src/destinations/file/directory-sync.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** A sync that ends when told to. */
function slowSync() {
  const runs: { readonly directory: string; readonly end: (error?: Error) => void }[] = []
  const sync = (directory: string) =>
    new Promise<void>((resolve, reject) => {
      runs.push({ directory, end: (error) => (error === undefined ? resolve() : reject(error)) })
    })
  return { runs, sync: createDirectorySync(sync) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

it('serves all who ask during one sync with the next', async () => {
  const { runs, sync } = slowSync()
  const first = sync('d')
  const others = [sync('d'), sync('d'), sync('d')]
  await settled()
  expect(runs).toHaveLength(1)
  runs[0]?.end()
  await first
  await settled()
  expect(runs).toHaveLength(2)
  runs[1]?.end()
  await Promise.all(others)
  expect(runs).toHaveLength(2)
})

it('keeps directories apart', async () => {
  const { runs, sync } = slowSync()
  sync('a')
  sync('b')
  expect(runs.map(({ directory }) => directory)).toEqual(['a', 'b'])
})

it('tells a failure to those it concerns only', async () => {
  const { runs, sync } = slowSync()
  const first = sync('d')
  const second = sync('d')
  runs[0]?.end(new Error('EIO'))
  await expect(first).rejects.toThrow('EIO')
  await settled()
  runs[1]?.end()
  await second
  const third = sync('d')
  await settled()
  runs[2]?.end()
  await third
})

it('syncs a real directory, and passes over one that is gone', async () => {
  const sync = createDirectorySync()
  const directory = await tempDir()
  await sync(directory)
  await sync(`${directory}/gone`)
})
