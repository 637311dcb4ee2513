import { describe, expect, it } from 'vitest'
import { bucketOf } from '../../../src/rollout/assign.ts'
import { createSides } from '../../../src/rollout/sides.ts'

const everything = { name: 'nightly', only: [], never: [] }

describe('createSides', () => {
  it.each([
    ['take-13202.wav', 0, 'baseline'],
    ['take-13202.wav', 0.01, 'candidate'],
    ['take-8872.wav', 0.28, 'baseline'],
    ['take-8872.wav', 0.29, 'candidate'],
    ['take-27752.wav', 99.99, 'baseline'],
    ['take-27752.wav', 100, 'candidate'],
  ])('%s at %d percent goes to the %s', (source, percentage, side) => {
    expect(createSides(everything, percentage)(source)).toBe(side)
  })

  it('gives the candidate the buckets below the share', () => {
    const sideOf = createSides(everything, 50)
    for (let number = 0; number < 1000; number += 1) {
      const source = `in/${number}.wav`
      expect(sideOf(source)).toBe(bucketOf('nightly', source) < 5000 ? 'candidate' : 'baseline')
    }
  })

  it.each([
    ['nothing said', [], [], 'a/b.wav', 'candidate'],
    ['among those meant', ['*.wav'], [], 'a/b.wav', 'candidate'],
    ['not among those meant', ['*.wav'], [], 'a/b.flac', undefined],
    ['in a folder that is meant', ['a/'], [], 'a/b.flac', 'candidate'],
    ['taken out again', ['*.wav', '!secret*.wav'], [], 'secret-1.wav', undefined],
    ['left out', [], ['masters/'], 'masters/b.wav', undefined],
    ['not left out', [], ['masters/'], 'a/b.wav', 'candidate'],
    ['meant and left out', ['*.wav'], ['masters/'], 'masters/b.wav', undefined],
    ['with regard to case', ['*.wav'], [], 'B.WAV', undefined],
    ['in another form of Unicode', ['caf\u00e9*'], [], 'cafe\u0301.wav', 'candidate'],
  ] as const)('%s', (_what, only, never, source, side) => {
    expect(createSides({ name: 'nightly', only, never }, 100)(source)).toBe(side)
  })

  it('counts for neither side what it does not mean, at 0 % too', () => {
    const sideOf = createSides({ name: 'nightly', only: ['*.wav'], never: [] }, 0)
    expect([sideOf('a.wav'), sideOf('a.flac')]).toEqual(['baseline', undefined])
  })
})
