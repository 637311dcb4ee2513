import { expect, it } from 'vitest'
import type { Condition, Rule } from '../../../src/config/settings.ts'
import { createChooser } from '../../../src/plan/choose.ts'

function rule(when: Partial<Condition>, given: Partial<Rule> = {}): Rule {
  const whenever = { match: [], type: [], minSize: undefined, maxSize: undefined }
  return {
    name: 'rules[0]',
    when: { ...whenever, ...when },
    skip: false,
    contentType: undefined,
    properties: {},
    ...given,
  }
}

it.each<[Partial<Condition>, number | undefined, boolean]>([
  [{}, undefined, true],
  [{ minSize: 10 }, 10, true],
  [{ minSize: 10 }, 9, false],
  [{ maxSize: 10 }, 10, true],
  [{ maxSize: 10 }, 11, false],
  [{ minSize: 5, maxSize: 10 }, 7, true],
  // Standard input.
  [{ minSize: 0 }, undefined, false],
])('%j, for %s bytes: %s', (when, size, isMet) => {
  const { choose } = createChooser({ rules: [rule(when)], routes: [], properties: {} })
  const { decidedBy } = choose({ source: 'a.wav', size, contentType: 'audio/wav' })
  expect(decidedBy).toEqual(isMet ? ['rules[0]'] : undefined)
})

it('what a manifest says of a file is stronger than rules, and rules than options', () => {
  const { choose } = createChooser({
    rules: [rule({ type: ['audio/*'] }, { properties: { cacheControl: 'rule', contentEncoding: undefined } })],
    routes: [],
    properties: { cacheControl: 'option', contentEncoding: 'gzip', contentDisposition: 'inline' },
  })
  const own = { properties: { contentDisposition: 'attachment' } }
  const file = { source: 'a.wav', size: 1, contentType: 'audio/wav' }
  const ruled = { cacheControl: 'rule', contentEncoding: 'gzip', contentDisposition: 'inline' }
  expect(choose(file).properties).toEqual(ruled)
  expect(choose(file).properties).toBe(choose(file).properties)
  expect(choose({ ...file, own }).properties).toEqual({ ...ruled, ...own.properties })
  expect(choose({ ...file, own }).properties).toBe(choose({ ...file, own }).properties)
})

it('remembers no end of sets of properties, and merges them right all the same', () => {
  const { choose } = createChooser({ rules: [], routes: [], properties: { cacheControl: 'x' } })
  for (let take = 0; take < 1002; take += 1) {
    const own = { properties: { metadata: { take: String(take) } } }
    const { properties } = choose({ source: 'a', size: 1, contentType: 'audio/wav', own })
    expect(properties).toEqual({ cacheControl: 'x', ...own.properties })
  }
})
