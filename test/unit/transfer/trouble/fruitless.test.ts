import { describe, expect, it } from 'vitest'
import { createFruitless } from '../../../../src/transfer/trouble/fruitless.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { failure } from '../scene.ts'

const silent = failure('TIMEOUT', 'no answer', { retryable: true })

function scene() {
  const clock = createFakeClock({ skipUpTo: -1 })
  return { clock, fruitless: createFruitless(clock, 's3://new/ (the candidate)') }
}

describe('createFruitless', () => {
  it('gives up once three requests were silent for half a minute', async () => {
    const { clock, fruitless } = scene()
    await clock.advance(30_000)
    expect([fruitless.failed(silent, 0), fruitless.failed(silent, 10)]).toEqual([undefined, undefined])
    expect(fruitless.failed(silent, 20)).toMatchObject({
      code: 'TIMEOUT',
      message: 's3://new/ (the candidate) has taken nothing for 30.0 s: no answer',
    })
  })

  it('takes no short trouble for the end, however many requests have it', async () => {
    const { clock, fruitless } = scene()
    await clock.advance(24_999)
    for (let n = 0; n < 100; n += 1) expect(fruitless.failed(silent, 0)).toBeUndefined()
    await clock.advance(1)
    expect(fruitless.failed(silent, 24_000)).toBeDefined()
  })

  it('begins anew with each success, also for requests that began before it', async () => {
    const { clock, fruitless } = scene()
    for (let n = 0; n < 5; n += 1) fruitless.failed(silent, 0)
    await clock.advance(29_000)
    fruitless.succeeded()
    await clock.advance(1000)
    for (let n = 0; n < 5; n += 1) expect(fruitless.failed(silent, 0)).toBeUndefined()
  })

  it.each([
    ['cannot be mended', failure('ACCESS_DENIED', 'no')],
    ['is the file’s', failure('SOURCE_CHANGED', 'it changed', { retryable: true })],
  ])('does not go by what %s', async (_name, error) => {
    const { clock, fruitless } = scene()
    await clock.advance(60_000)
    for (let n = 0; n < 5; n += 1) expect(fruitless.failed(error, 0)).toBeUndefined()
  })
})
