import { expect, it } from 'vitest'
import { resolveOptions } from '../../../src/config/resolve.ts'
import { selectionFaults } from '../../../src/config/selection-fit.ts'

const now = Date.UTC(2026, 10, 22, 6)

function faultsOf(flags: Readonly<Record<string, unknown>>): string[] {
  const keys = ['newerThan', 'olderThan', 'minSize', 'maxSize', 'filesFrom', 'null'] as const
  const given = keys.filter((key) => key in flags).map((key) => ({ key, value: flags[key], from: key }))
  return selectionFaults(resolveOptions(given), now)
}

it.each([
  {},
  { newerThan: '24h' },
  { olderThan: '24h' },
  { newerThan: '24h', olderThan: '10m' },
  { newerThan: '2026-11-21T06:00:00Z', olderThan: '10m' },
  // Is refused by itself; more need not be said.
  { newerThan: '24h', olderThan: 'yesterday' },
  { minSize: '1kB' },
  { maxSize: 0 },
  { minSize: '1kB', maxSize: 1000 },
  { minSize: '1kB', maxSize: 'small' },
  { minSize: 'large', maxSize: '1kB' },
  { filesFrom: 'list.jsonl' },
  { filesFrom: 'list.txt', null: true },
  { filesFrom: '-', null: true },
  { null: true },
  { filesFrom: 'list.jsonl', null: false },
])('%j can be meant', (flags) => {
  expect(faultsOf(flags)).toEqual([])
})

it.each([
  [{ newerThan: '10m', olderThan: '24h' }, 'olderThan: found "24h", with newerThan "10m": no file can be both;'],
  [{ newerThan: '24h', olderThan: '24h' }, 'olderThan: found "24h", with newerThan "24h": no file can be both;'],
  [{ newerThan: '10m', olderThan: '2026-11-01' }, 'olderThan: found "2026-11-01", with newerThan "10m"'],
  [{ minSize: '2kB', maxSize: 1999 }, 'minSize: found "2kB", with maxSize 1999: no file can be both;'],
  [{ filesFrom: 'x/List.JSONL', null: true }, 'null: a .jsonl list has one JSON object a line; leave this out'],
])('%j cannot', (flags, said) => {
  const faults = faultsOf(flags)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(said)
})
