import { expect, it } from 'vitest'
import { UploadError } from '../../../../src/errors.ts'
import { createKeyScopes } from '../../../../src/plan/keys/key-scope.ts'
import { planned } from '../../transfer/scene.ts'

function scopeOf(...keys: readonly string[]) {
  const scopes = createKeyScopes()
  for (const [index, key] of keys.entries()) scopes.see(planned(index + 1, { key }))
  return scopes.of(0)
}

it.each([
  [['audio/2026/a.wav'], 'audio/2026/'],
  [['audio/2026/a.wav', 'audio/2026/b.wav'], 'audio/2026/'],
  [['audio/2026/a.wav', 'audio/2025/b.wav'], 'audio/'],
  [['audio/2026/a.wav', 'audio/b.wav', 'audio/2026/c.wav'], 'audio/'],
  [['audio/a.wav', 'audiobook/a.wav'], ''],
  [['a.wav'], ''],
  [['a/b/c/d/e', 'a/b/x', 'a/y'], 'a/'],
])('%j begin with "%s"', (keys, prefix) => {
  expect(scopeOf(...keys)).toEqual({ files: keys.length, prefix })
})

it('counts what is sent, by lane', () => {
  const scopes = createKeyScopes()
  const problem = new UploadError('KEY_INVALID', 'no key')
  scopes.see(planned(1, { key: 'audio/a.wav' }))
  scopes.see(planned(2, { key: 'x', problem }))
  scopes.see(planned(3, { key: 'y', skip: 'excluded-by-rule' }))
  scopes.see(planned(4, { key: 'text/a.txt', lane: 2 }))
  expect([0, 1, 2].map(scopes.of)).toEqual([{ files: 1, prefix: 'audio/' }, undefined, { files: 1, prefix: 'text/' }])
})

it('counts what a candidate’s file may fall back to', () => {
  const scopes = createKeyScopes()
  const onBaseline = { lane: 0, key: 'old/x/a.wav', originalKey: undefined, properties: {} }
  scopes.see(planned(1, { key: 'new/a.wav', lane: 1, onBaseline }))
  scopes.see(planned(2, { key: 'old/b.wav' }))
  expect([0, 1].map(scopes.of)).toEqual([
    { files: 2, prefix: 'old/' },
    { files: 1, prefix: 'new/' },
  ])
})
