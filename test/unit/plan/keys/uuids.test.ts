import { expect, it } from 'vitest'
import { createUuids } from '../../../../src/plan/keys/uuids.ts'

const at = Date.UTC(2026, 10, 22)

it('are of version 7, with the time at their beginning', () => {
  const uuid = createUuids(at)(1)
  expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)).toBe(at)
})

it('are the same for the same index, and others for others', () => {
  const uuids = createUuids(at)
  const drawn = Array.from({ length: 10_000 }, (_, index) => uuids(index))
  expect(new Set(drawn).size).toBe(10_000)
  expect(uuids(42)).toBe(drawn[42])
})

it('are others in each process', () => {
  expect(createUuids(at)(1)).not.toBe(createUuids(at)(1))
  const seed = new Uint8Array(32)
  expect(createUuids(at, seed)(1)).toBe(createUuids(at, seed)(1))
})
