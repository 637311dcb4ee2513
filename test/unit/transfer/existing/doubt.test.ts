import { expect, it } from 'vitest'
import { noteDoubt, noteMismatch } from '../../../../src/transfer/existing/doubt.ts'
import { newWork } from '../../../../src/transfer/file-record.ts'
import { failure, planned } from '../scene.ts'

const open = [
  failure('CONNECTION', 'reset'),
  failure('SERVER_ERROR', 'broken', { status: 500 }),
  failure('BAD_RESPONSE', 'it broke off', { status: 200 }),
]
const closed = [
  failure('CONNECTION', 'refused', { unreachable: true }),
  failure('SERVER_ERROR', 'somebody else is at it', { status: 409 }),
  failure('BAD_RESPONSE', 'bad request', { status: 400 }),
  failure('THROTTLED', 'slow down', { status: 503 }),
  failure('TOO_LARGE', 'no'),
  failure('CHECKSUM_MISMATCH', 'the bytes are refused', { status: 400 }),
]
const mismatch = failure('CHECKSUM_MISMATCH', 'other bytes were stored')

it.each(open)('an attempt may have stored the object: $message', (error) => {
  const work = newWork(planned(1))
  noteDoubt(work, error)
  expect(work.doubt).toBe(error)
})

it.each(closed)('an attempt has not stored it: $message', (error) => {
  const work = newWork(planned(1))
  noteDoubt(work, error)
  expect(work.doubt).toBeUndefined()
})

it('what was stored otherwise than it was sent counts more than what may not have been', () => {
  const work = newWork(planned(1))
  noteDoubt(work, open[0] as typeof mismatch)
  noteMismatch(work, mismatch)
  noteDoubt(work, open[1] as typeof mismatch)
  expect(work.doubt).toBe(mismatch)
})

it('that something in a request of parts failed leaves nothing open', () => {
  const work = newWork(planned(1))
  for (const error of [...open, ...closed]) noteMismatch(work, error)
  expect(work.doubt).toBeUndefined()
})
