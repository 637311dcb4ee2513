import { expect, it } from 'vitest'
import { anchorOf, identityOf, namingOf } from '../../../src/resume/file-identity.ts'

it.each([
  [{ sources: ['in'], base: 'b', filesFrom: undefined }, '/work'],
  [{ sources: [], base: undefined, filesFrom: 'list' }, '/work'],
  [{ sources: [], base: 'b', filesFrom: 'list' }, '/work/b'],
  [{ sources: [], base: '/b', filesFrom: '-' }, '/b'],
  [{ sources: ['in'], base: 'b', filesFrom: 'list' }, '/work'],
])('%j: %s', (naming, anchor) => {
  expect(anchorOf({ ...naming, cwd: '/work' })).toBe(anchor)
})

it('takes what a journal does not say for not given', () => {
  const none = { cwd: '/work', sources: [], base: undefined, filesFrom: undefined }
  expect(namingOf({ cwd: '/work', config: {} })).toEqual(none)
  expect(namingOf({ cwd: '/work', config: { sources: 7, base: {}, filesFrom: [] } })).toEqual(none)
  const given = { sources: ['in'], base: 'b', filesFrom: 'list' }
  expect(namingOf({ cwd: '/work', config: given })).toEqual({ cwd: '/work', ...given })
})

it.each([
  ['a.wav', undefined, '/work/a.wav'],
  ['./a.wav', 2, '/work/a.wav\u00002'],
  ['/x/../a.wav', undefined, '/a.wav'],
  ['-', undefined, '-'],
])('%s (%s) is %j', (path, occurrence, identity) => {
  expect(identityOf('/work', path, occurrence)).toBe(identity)
})
