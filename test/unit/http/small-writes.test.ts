import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { inSmallWrites } from '../../../src/http/small-writes.ts'

it('a large body is written in pieces, all of it', async () => {
  const body = Buffer.alloc(1_000_000, 'abcdefg')
  const pieces = (await (inSmallWrites(body) as Readable).toArray()) as Buffer[]
  expect(pieces.map((piece) => piece.length)).toEqual([262_144, 262_144, 262_144, 213_568])
  expect(Buffer.concat(pieces).equals(body)).toBe(true)
})

it.each([
  ['a small body', Buffer.alloc(262_144)],
  ['a stream', Readable.from([])],
  ['text', '<a/>'],
  ['none', undefined],
])('%s stays as it is', (_name, body) => {
  expect(inSmallWrites(body)).toBe(body)
})
