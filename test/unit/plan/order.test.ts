import { describe, expect, it } from 'vitest'
import { UploadError } from '../../../src/errors.ts'
import { ordered } from '../../../src/plan/order.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { windowSize } from '../../../src/plan/sources/walk.ts'
import { all } from './tree.ts'

/** Files of these sizes, named by their index. */
async function* files(sizes: readonly (number | undefined)[], onTake?: (index: number) => void) {
  for (const [at, size] of sizes.entries()) {
    onTake?.(at + 1)
    yield file(at + 1, size)
  }
}

function file(index: number, size: number | undefined, problem?: UploadError): PlannedFile {
  const name = `${index}.wav`
  return {
    index,
    path: name,
    absolute: `/in/${name}`,
    source: name,
    key: name,
    size,
    mtimeMs: undefined,
    contentType: 'audio/wav',
    properties: {},
    lane: 0,
    problem,
  }
}

async function indices(plan: AsyncIterable<PlannedFile>): Promise<number[]> {
  return (await all(plan)).map(({ index }) => index)
}

it('scan is the plan itself', () => {
  const plan = files([1, 2])
  expect(ordered(plan, 'scan')).toBe(plan)
})

describe.each(['size', 'mixed'] as const)('%s', (order) => {
  it.each([0, 1, 2, 3, 1000])('keeps each of %i files', async (count) => {
    const sizes = Array.from({ length: count }, (_, at) => (at * 7919) % 13)
    const sent = await indices(ordered(files(sizes), order))
    expect(sent.toSorted((a, b) => a - b)).toEqual(sizes.map((_, at) => at + 1))
  })

  it('keeps files that fail and those whose size is not known', async () => {
    const broken = file(2, undefined, new UploadError('SOURCE_NOT_FOUND', 'gone'))
    async function* plan() {
      yield* [file(1, undefined), broken, file(3, 5)]
    }
    const sent = await all(ordered(plan(), order))
    expect(sent.map(({ index }) => index).toSorted()).toEqual([1, 2, 3])
    expect(sent).toContain(broken)
    expect(sent[0]?.index).toBe(3)
  })

  it('looks no further than a window', async () => {
    const sizes = Array.from({ length: 2 * windowSize + 5 }, (_, at) => at)
    let taken = 0
    const plan = ordered(
      files(sizes, (index) => {
        taken = index
      }),
      order,
    )
    const sent: number[] = []
    for await (const { index } of plan) {
      sent.push(index)
      if (sent.length <= windowSize) expect(taken).toBe(windowSize)
    }
    expect([sent[0], sent[windowSize], sent[2 * windowSize]]).toEqual([windowSize, 2 * windowSize, 2 * windowSize + 5])
    expect(new Set(sent).size).toBe(sizes.length)
  })

  it('closes the plan where nobody wants more', async () => {
    let isClosed = false
    async function* plan() {
      try {
        yield* [file(1, 1), file(2, 2)]
      } finally {
        isClosed = true
      }
    }
    for await (const _file of ordered(plan(), order)) break
    expect(isClosed).toBe(true)
  })

  it('fails as the plan does', async () => {
    async function* plan(): AsyncGenerator<PlannedFile> {
      yield file(1, 1)
      throw new Error('the plan broke')
    }
    await expect(all(ordered(plan(), order))).rejects.toThrow('the plan broke')
  })
})

describe('the order within a window', () => {
  it.each([
    ['size', [10, 30, 20], [2, 3, 1]],
    ['size', [5, 5, 9, 5, 9], [3, 5, 1, 2, 4]],
    ['size', [undefined, 0, 1], [3, 1, 2]],
    ['mixed', [10, 30, 20], [2, 1, 3]],
    ['mixed', [1, 2, 3, 4, 5, 6], [6, 1, 5, 2, 4, 3]],
    ['mixed', [1, 2, 3, 4, 5], [5, 1, 4, 2, 3]],
    ['mixed', [7, 7, 7, 7, 7], [1, 4, 2, 5, 3]],
    ['mixed', [undefined, 9, 0, 5], [2, 1, 4, 3]],
  ] as const)('%s of %j', async (order, sizes, expected) => {
    expect(await indices(ordered(files(sizes), order))).toEqual(expected)
  })
})
