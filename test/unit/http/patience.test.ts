import { expect, it } from 'vitest'
import { patienceFor } from '../../../src/http/patience.ts'

const minute = 60_000

it('is that of the settings', () => {
  expect(patienceFor({ requestMs: 'auto', stallMs: 30_000 })).toEqual({
    connect: 3000,
    connectThroughProxy: 10_000,
    idle: 30_000,
    idleWhileAnswering: 30_000,
    idleWhileCompleting: 5 * minute,
    request: 5 * minute,
    completing: 60 * minute,
  })
})

it('with silence can be short while a body is sent, but not where an answer is waited for', () => {
  expect(patienceFor({ requestMs: 1000, stallMs: 2000 })).toMatchObject({
    idle: 2000,
    idleWhileAnswering: 30_000,
    idleWhileCompleting: 5 * minute,
    request: 1000,
    completing: 5 * minute,
  })
})

it('with silence can be long', () => {
  expect(patienceFor({ requestMs: 120 * minute, stallMs: 60 * minute })).toMatchObject({
    idle: 60 * minute,
    idleWhileAnswering: 60 * minute,
    idleWhileCompleting: 60 * minute,
    request: 120 * minute,
    completing: 120 * minute,
  })
})
