import { expect, it } from 'vitest'
import type { FileRecord } from '../../../src/observe/records.ts'
import { expectedObjects } from '../../../src/verify/expected.ts'
import { fallbackRecord } from '../observe/events.ts'

function line(path: string, status: FileRecord['status'], more: Partial<FileRecord> = {}): FileRecord {
  return {
    type: 'file',
    path,
    source: path,
    key: `p/${path}`,
    destination: 's3://b/p/',
    size: 10,
    mtime: null,
    status,
    attempts: 1,
    startedAt: null,
    durationMs: null,
    bytesSent: 10,
    bytesPerSecond: null,
    parts: 1,
    engine: 'fast',
    contentType: 'audio/wav',
    ...more,
  }
}

async function expected(lines: readonly FileRecord[]) {
  const found: string[] = []
  const files = async function* () {
    yield* lines
  }
  for await (const { path, key, size, etag } of (await expectedObjects(files)).objects()) {
    found.push([path, key, size, etag].filter((field) => field !== undefined).join(' '))
  }
  return found
}

it.each<[string, FileRecord[], string[]]>([
  ['of what was uploaded', [line('a', 'uploaded', { etag: '1' }), line('b', 'uploaded')], ['a p/a 10 1', 'b p/b 10']],
  ['of what had been uploaded before', [line('a', 'skipped', { reason: 'already-uploaded' })], ['a p/a 10']],
  ['not of what was left out', [line('a', 'skipped', { reason: 'exists' })], []],
  ['not of what failed or was cut', [line('a', 'failed'), line('b', 'cancelled')], []],
  ['not of what was taken back', [line('a', 'uploaded'), line('b', 'uploaded'), line('a', 'undone')], ['b p/b 10']],
  [
    'of the last line of a file under a key; under another key it is an object more',
    [line('a', 'failed'), line('b', 'uploaded'), line('a', 'uploaded', { key: 'x' }), line('a', 'uploaded')],
    ['b p/b 10', 'a x 10', 'a p/a 10'],
  ],
  [
    'once of a file that another invocation named from another directory',
    [
      line('in/a', 'uploaded', { source: 'a', key: 'p/a', etag: '1' }),
      line('in/b', 'uploaded', { source: 'b', key: 'p/b', etag: '2' }),
      line('../in/a', 'skipped', { source: 'a', key: 'p/a', etag: '1', reason: 'already-uploaded' }),
      line('../in/b', 'undone', { source: 'b', key: 'p/b', etag: '2' }),
    ],
    ['../in/a p/a 10 1'],
  ],
  [
    'of files that have one name and key at different destinations',
    [
      line('x/a', 'uploaded', { source: 'a', key: 'p/a' }),
      line('y/a', 'uploaded', { source: 'a', key: 'p/a', destination: 's3://c/p/' }),
    ],
    ['x/a p/a 10', 'y/a p/a 10'],
  ],
  [
    'of each occurrence of a path',
    [line('a', 'uploaded'), line('a', 'uploaded', { occurrence: 2, key: 'x' }), line('a', 'undone')],
    ['a x 10'],
  ],
  [
    'of a file that fell back where it went at last, and nothing where it failed',
    [line('a', 'uploaded', { fallback: fallbackRecord({ destination: 's3://c/', key: 'other/a' }) })],
    ['a p/a 10'],
  ],
  ['not of what has no size', [line('a', 'uploaded', { size: null })], []],
])('a report expects objects: %s', async (_, lines, objects) => {
  expect(await expected(lines)).toEqual(objects)
})
