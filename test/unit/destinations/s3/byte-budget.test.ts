import { expect, it } from 'vitest'
import { createByteBudget } from '../../../../src/destinations/s3/byte-budget.ts'

const never = new AbortController().signal
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Acquires in order; the names of those that have got theirs are in `started`. */
function queueOf(capacity: number) {
  const budget = createByteBudget(capacity)
  const started: string[] = []
  const ask = (name: string, bytes: number, signal: AbortSignal = never) =>
    budget.acquire(bytes, signal).then((release) => {
      started.push(name)
      return release
    })
  return { started, ask }
}

it('shares the memory out until it is used up', async () => {
  const { started, ask } = queueOf(10)
  const first = await ask('a', 6)
  await ask('b', 4)
  ask('c', 1)
  await settled()
  expect(started).toEqual(['a', 'b'])
  first()
  await settled()
  expect(started).toEqual(['a', 'b', 'c'])
})

it('serves who came first, even where a later one would fit', async () => {
  const { started, ask } = queueOf(10)
  const first = await ask('a', 6)
  ask('large', 8)
  ask('small', 1)
  await settled()
  expect(started).toEqual(['a'])
  first()
  await settled()
  expect(started).toEqual(['a', 'large', 'small'])
})

it('lets what is larger than all of it go alone', async () => {
  const { started, ask } = queueOf(10)
  const first = await ask('a', 1)
  const huge = ask('huge', 1000)
  await settled()
  expect(started).toEqual(['a'])
  first()
  const release = await huge
  ask('after', 1)
  await settled()
  expect(started).toEqual(['a', 'huge'])
  release()
  await settled()
  expect(started).toEqual(['a', 'huge', 'after'])
})

it('takes memory back once only', async () => {
  const { started, ask } = queueOf(10)
  const release = await ask('a', 10)
  release()
  release()
  await ask('b', 10)
  ask('c', 1)
  await settled()
  expect(started).toEqual(['a', 'b'])
})

it('gives to the next when one that waits is stopped', async () => {
  const { started, ask } = queueOf(10)
  const controller = new AbortController()
  await ask('a', 6)
  const stopped = ask('large', 8, controller.signal)
  ask('small', 4)
  controller.abort()
  await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' })
  await settled()
  expect(started).toEqual(['a', 'small'])
})

it('gives nothing to one that is stopped already, and minds no stop afterwards', async () => {
  const { started, ask } = queueOf(10)
  await expect(ask('a', 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
  const controller = new AbortController()
  await ask('b', 10, controller.signal)
  controller.abort()
  ask('c', 1)
  await settled()
  expect(started).toEqual(['b'])
})
