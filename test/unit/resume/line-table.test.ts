import { expect, it } from 'vitest'
import { createLineTable } from '../../../src/resume/line-table.ts'

it('knows the last place of each text, the first byte too', () => {
  const table = createLineTable()
  for (let n = 0; n < 5000; n += 1) table.set(`/in/${n}.wav`, n * 7)
  for (let n = 0; n < 5000; n += 3) table.set(`/in/${n}.wav`, 1_000_000_000_000 + n)
  expect(table.size).toBe(5000)
  for (let n = 0; n < 5000; n += 1) {
    expect(table.get(`/in/${n}.wav`)).toBe(n % 3 === 0 ? 1_000_000_000_000 + n : n * 7)
  }
  expect([table.get('/in/5000.wav'), table.get('')]).toEqual([undefined, undefined])
})
