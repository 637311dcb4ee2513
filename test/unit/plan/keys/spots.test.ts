import { describe, expect, it } from 'vitest'
import { createCollisionSpots, createFileSpots, type FileSpots } from '../../../../src/plan/keys/spots.ts'
import type { PlanLane } from '../../../../src/plan/plan-file.ts'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import { planned } from '../../transfer/scene.ts'
import { seeded } from '../tree.ts'

const keyProblem = (): undefined => undefined
const lane = (place: string, prefix = '', fixName?: PlanLane['fixName']): PlanLane => ({
  place,
  prefix,
  keyProblem,
  fixName,
})
const candidates = (key: string, oldKey: string): PlannedFile =>
  planned(1, { key, lane: 1, onBaseline: { lane: 0, key: oldKey, originalKey: undefined, properties: {} } })
const texts = (spots: FileSpots, file: PlannedFile): readonly string[] => spots.all(file).map(({ spot }) => spot)

describe('the objects that a file may become', () => {
  it('are its key, where there is one bucket', () => {
    const spots = createFileSpots([lane('a/')])
    expect(texts(spots, planned(1, { key: 'k' }))).toEqual(['k'])
    expect(spots.spare(planned(1, { key: 'k' }))).toBeUndefined()
  })

  it('are two for a file that may fall back to another one', () => {
    const spots = createFileSpots([lane('a/'), lane('b/')])
    const file = candidates('k', 'k')
    expect(texts(spots, file)).toEqual(['b/k', 'a/k'])
    expect([spots.first(file), spots.spare(file)]).toEqual(['b/k', 'a/k'])
    expect(spots.all(candidates('new', 'old'))).toEqual([
      { spot: 'b/new', key: 'new' },
      { spot: 'a/old', key: 'old' },
    ])
  })

  it('are one where that is the same', () => {
    const spots = createFileSpots([lane('a/'), lane('a/')])
    expect(texts(spots, candidates('k', 'k'))).toEqual(['k'])
    expect(spots.spare(candidates('k', 'k'))).toBeUndefined()
  })
})

describe('what is looked at for keys that two files share', () => {
  const fix = (name: string): string => `=${name}`

  it.each<[string, readonly PlanLane[], readonly (number | undefined)[], looksAt: readonly string[], isOne: boolean]>([
    ['another engine', [lane('a/'), lane('a/')], [1], ['old'], true],
    ['another bucket', [lane('a/'), lane('b/')], [1], ['old'], true],
    ['another bucket with other rules', [lane('a/', '', fix), lane('b/')], [1], ['old'], true],
    ['another prefix of the bucket', [lane('a/'), lane('a/', 'p/')], [1], ['new', 'old'], false],
    ['the same with other rules', [lane('a/'), lane('a/', '', fix)], [1], ['new', 'old'], false],
    ['a directory in the other', [lane('file:/a/'), lane('file:/a/b/')], [1], ['file:/a/b/new', 'file:/a/old'], false],
    [
      'a directory around the other',
      [lane('file:/a/b/'), lane('file:/a/')],
      [1],
      ['file:/a/new', 'file:/a/b/old'],
      false,
    ],
    ['where a route leads', [lane('a/'), lane('b/'), lane('b/')], [1, undefined], ['b/new', 'a/old'], false],
    ['no candidate of a route', [lane('a/'), lane('b/'), lane('a/', 'r/')], [1, undefined], ['old'], false],
  ])('%s', (_what, lanes, candidateOf, looksAt, isOne) => {
    const spots = createCollisionSpots(lanes, candidateOf)
    expect(texts(spots, candidates('new', 'old'))).toEqual(looksAt)
    expect(spots.isOneNamespace).toBe(isOne)
    expect(spots.spare(candidates('new', 'old'))).toBe(looksAt[1])
  })

  it('finds what looking at everything finds', () => {
    const [old, other] = [lane('a/', 'x/'), lane('b/', 'y/')]
    const few = createCollisionSpots([old, other], [1])
    const everything = createFileSpots([old, other])
    const below = seeded(7)
    const collides = (spots: FileSpots, files: readonly PlannedFile[]): boolean => {
      const all = files.flatMap((file) => texts(spots, file))
      return new Set(all).size < all.length
    }
    let found = 0
    for (let round = 0; round < 300; round += 1) {
      const files = Array.from({ length: 2 + below(4) }, () => {
        const name = `${below(12)}`
        return below(2) === 0 ? candidates(`y/${name}`, `x/${name}`) : planned(1, { key: `x/${name}` })
      })
      const expected = collides(everything, files)
      expect(collides(few, files)).toBe(expected)
      if (expected) found += 1
    }
    expect(found).toBeGreaterThan(50)
    expect(found).toBeLessThan(250)
  })
})
