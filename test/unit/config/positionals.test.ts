import { expect, it } from 'vitest'
import { readPositionals } from '../../../src/config/positionals.ts'

it.each([
  [[], [], undefined],
  [['a.wav'], ['a.wav'], undefined],
  [['a.wav', 's3://b/x'], ['a.wav'], 's3://b/x'],
  [['a', '-', '!b', 'file:./out'], ['a', '-', '!b'], 'file:./out'],
  [['supabase://b/'], [], 'supabase://b/'],
  [['a.wav', './s3:/b'], ['a.wav', './s3:/b'], undefined],
])('%j', (args, sources, destination) => {
  expect(readPositionals(args)).toEqual({ sources, destination, faults: [] })
})

it.each([
  [['s3://b/', 'a.wav'], ['s3://b/']],
  [
    ['file:x', 's3://u:p@b', 's3://b/'],
    ['file:x', 's3://***@b'],
  ],
])('%j holds destinations that are not last', (args, named) => {
  const { faults } = readPositionals(args)
  expect(faults).toEqual(
    named.map(
      (name) => `argument "${name}": a destination goes last, or behind --to (a file of that name: put ./ before it)`,
    ),
  )
})
