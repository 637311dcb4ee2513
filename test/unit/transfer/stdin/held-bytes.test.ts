import { describe, expect, it } from 'vitest'
import { fileBody } from '../../../../src/transfer/reading/file-body.ts'
import { copyHeld, heldPieces } from '../../../../src/transfer/stdin/held-bytes.ts'

const all = Buffer.from('abcdefghij')
const held = [all.subarray(0, 4), all.subarray(4, 8), all.subarray(8), Buffer.alloc(0)]
const facts = { absolute: '-', size: all.length, mtimeMs: 0, held }

describe('bytes that are held in memory', () => {
  it.each([
    [0, 10, 100, ['abcd', 'efgh', 'ij']],
    [0, 10, 3, ['abc', 'd', 'efg', 'h', 'ij']],
    [3, 9, 3, ['d', 'efg', 'h', 'i']],
    [4, 8, 4, ['efgh']],
    [5, 5, 4, []],
    [9, 99, 4, ['j']],
  ])('from %i up to %i, at most %i at a time', (start, end, most, pieces) => {
    expect([...heldPieces(held, start, end, most)].map(String)).toEqual(pieces)
  })

  it('are copied as far as there is room', () => {
    const into = Buffer.alloc(4, '.')
    expect([copyHeld(held, 2, into), String(into)]).toEqual([4, 'cdef'])
    expect([copyHeld(held, 8, into), String(into)]).toEqual([2, 'ijef'])
    expect(copyHeld(held, 2, Buffer.alloc(0))).toBe(0)
  })

  describe('are a body as a file is one', () => {
    const body = fileBody(facts, { start: 2, size: 7 }, 3)
    const collect = async (pieces: AsyncIterable<unknown>): Promise<string> => {
      let text = ''
      for await (const piece of pieces) text += String(piece)
      return text
    }

    it.each([
      [0, 'cdefghi'],
      [3, 'fghi'],
      [7, ''],
    ])('that is read from %i on', async (from, text) => {
      expect([await collect(body.open(from)), await collect(body.stream(from))]).toEqual([text, text])
    })

    it('whose stream gives memory of its own', async () => {
      const own = [Buffer.from('abcd')]
      const stream = fileBody({ ...facts, size: 4, held: own }, { start: 0, size: 4 }, 4).stream()
      const [piece] = (await stream.toArray()) as Buffer[]
      own[0]?.fill('x')
      expect(String(piece)).toBe('abcd')
    })

    it('that is read all at once', async () => {
      const into = Buffer.alloc(8, '.')
      await body.readAll(into)
      expect(String(into)).toBe('cdefghi.')
    })

    it('that is read by position, and does not change', async () => {
      const reader = await body.openReader()
      const into = Buffer.alloc(4, '.')
      expect([await reader.read(into, 5), String(into)]).toEqual([2, 'hi..'])
      await expect(reader.compare()).resolves.toBeUndefined()
      await reader.close()
    })

    it('that is given no faster than the pacer lets it', async () => {
      const taken: number[] = []
      const pacer = { pieceSize: 2, take: async (bytes: number) => void taken.push(bytes) }
      const paced = fileBody(facts, { start: 0, size: 10 }, 100, pacer)
      expect([await collect(paced.open()), await collect(paced.stream(6))]).toEqual(['abcdefghij', 'ghij'])
      expect(taken).toEqual([2, 2, 2, 2, 2, 2, 2])
    })
  })
})
