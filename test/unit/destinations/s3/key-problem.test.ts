import { expect, it } from 'vitest'
import { keyProblem, keyProblemAtSupabase } from '../../../../src/destinations/s3/key-problem.ts'

it.each([
  ['a/b.wav', undefined],
  ['x'.repeat(1024), undefined],
  ['é'.repeat(512), undefined],
  ['..a/b../...', undefined],
  ['', 'has to have a key'],
  ['x'.repeat(1025), '1025 bytes'],
  ['é'.repeat(513), '1026 bytes'],
  ['..', '".."'],
  ['a/./b', '"."'],
  ['a/..', '".."'],
  ['a\ud800b', 'Unicode'],
])('%j', (key, expected) => {
  if (expected === undefined) expect(keyProblem(key)).toBeUndefined()
  else expect(keyProblem(key)).toContain(expected)
})

it.each([
  ["takes/a b+c&d=e?'!(1).wav", undefined],
  ['x'.repeat(1025), '1025 bytes'],
  ['a/../b', '".."'],
  ['umlaut-ü.wav', '--key-fix'],
  ['track #1.wav', '"#"'],
])("%j at Supabase's endpoint", (key, expected) => {
  if (expected === undefined) expect(keyProblemAtSupabase(key)).toBeUndefined()
  else expect(keyProblemAtSupabase(key)).toContain(expected)
})
