import { describe, expect, it } from 'vitest'
import { decideSuspended, decideUnversioned, decideVersioned } from '../../../src/undo/decide.ts'
import { fallbackRecord } from '../observe/events.ts'
import { began, failed, recorded, uploaded, version } from './records.ts'

const removes = (...versionIds: (string | undefined)[]) => ({ action: 'remove', versionIds, restores: false })
const restores = (...versionIds: (string | undefined)[]) => ({ action: 'remove', versionIds, restores: true })
const leaves = { action: 'leave', why: expect.any(String) }
const refuses = { action: 'refuse', why: expect.any(String) }
const nothing = { action: 'none' }
const others = { etag: '"others"' }
const marker = { isDeleteMarker: true, etag: undefined, size: 0 }

const answered = recorded({ uploaded: uploaded({ versionId: 'v9' }) })
const retried = recorded({ uploaded: uploaded({ versionId: 'v9', attempts: 2, durationMs: 3000 }) })

const fellBack = recorded({
  uploaded: uploaded({
    versionId: 'v9',
    attempts: 2,
    durationMs: 3000,
    fallback: fallbackRecord({ destination: 's3://bucket/', attempts: 1 }),
  }),
})

describe('where every version is kept', () => {
  it.each([
    ['the only version', answered, [version('v9', 1)], removes('v9')],
    ['on top of another', answered, [version('v9', 1), version('v1', -9, others)], restores('v9')],
    ['on top of a deletion', answered, [version('v9', 1), version('v1', -9, marker)], removes('v9')],
    [
      'in the place of one that is there no longer',
      { ...answered, replaced: { size: 5, versionId: 'v1' } },
      [version('v9', 1)],
      refuses,
    ],
    [
      'in the place of one that is still there',
      { ...answered, replaced: { size: 5, versionId: 'v1' } },
      [version('v9', 1), version('v1', -9)],
      restores('v9'),
    ],
    ['on top of the same bytes', answered, [version('v9', 1), version('v1', 0)], restores('v9')],
    ['beneath a version of others', answered, [version('v10', 5, others), version('v9', 1)], leaves],
    ['deleted since', answered, [version('v10', 5, marker), version('v9', 1)], nothing],
    ['no version at all', answered, [], nothing],
    ['undone before', answered, [version('v1', -9, others)], nothing],
    [
      'two attempts that were both stored',
      retried,
      [version('v9', 3), version('v8', 1), version('v1', -9, others)],
      restores('v9', 'v8'),
    ],
    ['the same bytes of before, though retried', retried, [version('v9', 3), version('v1', -60)], restores('v9')],
    [
      "a server's clock that is a minute behind",
      retried,
      [version('v9', -57), version('v8', -59), version('v1', -90)],
      restores('v9', 'v8'),
    ],
    [
      'sent twice by the run, since the file had changed',
      recorded({ uploaded: uploaded({ versionId: 'v9', etag: '"new"' }), before: [uploaded({ versionId: 'v8' })] }),
      [version('v9', 9, { etag: '"new"' }), version('v8', 1), version('v1', -9, others)],
      restores('v9', 'v8'),
    ],
    ['written while no versions were kept', recorded(), [version('null', 1)], refuses],
    [
      'written while no versions were kept, in the place of another',
      recorded({ replaced: { size: 1 } }),
      [version('null', 1)],
      refuses,
    ],
    ['written while no versions were kept, new', recorded({ replaced: null }), [version('null', 1)], removes('null')],
    ['no answer with a version', recorded(), [version('v9', 1), version('v1', -9, others)], restores('v9')],
    ['no answer with a version, the same of before', recorded(), [version('v1', -60)], leaves],
    [
      'what is known to have been there before',
      recorded({ uploaded: uploaded({ attempts: 2 }), replaced: { size: 5, versionId: 'v8' } }),
      [version('v9', 1), version('v8', 0)],
      restores('v9'),
    ],
    [
      'stored by the candidate of a rollout, too, in other parts',
      fellBack,
      [version('v9', 3), version('v8', 1, { etag: '"parts-2"' }), version('v1', -9, others)],
      restores('v9', 'v8'),
    ],
    [
      'stored by the candidate, and what others have put there meanwhile',
      fellBack,
      [version('v9', 3), version('v8', 1, { ...others, size: 6 }), version('v1', -9, others)],
      restores('v9'),
    ],
    [
      'of the baseline alone, on top of the same size of before',
      fellBack,
      [version('v9', 3), version('v1', -9, others)],
      restores('v9'),
    ],
    ['of the baseline, beneath a version of others', fellBack, [version('v10', 5, others), version('v9', 3)], leaves],
    [
      'sent to another place by the candidate',
      recorded({ uploaded: uploaded({ versionId: 'v9', attempts: 2, fallback: fallbackRecord() }) }),
      [version('v9', 3), version('v8', 1, others)],
      restores('v9'),
    ],
    [
      'an attempt that failed but was stored',
      recorded({ uploaded: undefined, unsure: failed() }),
      [version('v9', 2), version('v1', -9)],
      restores('v9'),
    ],
    [
      'an attempt that failed, and another size',
      recorded({ uploaded: undefined, unsure: failed() }),
      [version('v9', 2, { size: 6 })],
      nothing,
    ],
    [
      'an attempt that failed, and nothing that tells when it was written',
      recorded({ uploaded: undefined, unsure: failed() }),
      [version('v9', 2, { lastModified: undefined })],
      nothing,
    ],
  ])('%s', (_name, object, versions, decision) => {
    expect(decideVersioned(object, versions)).toEqual(decision)
  })
})

describe('where versions were kept once', () => {
  const asked = recorded({ replaced: null })
  it.each([
    ['new, and the only version', asked, [version('null', 1)], removes('null')],
    ['new, on top of a deletion', asked, [version('null', 1), version('v1', -9, marker)], removes('null')],
    ['new, though older versions are there', asked, [version('null', 1), version('v1', -9)], removes(undefined)],
    [
      'in the place of a version that is kept',
      recorded({ replaced: { size: 1, versionId: 'v1' } }),
      [version('null', 1), version('v1', -9, others)],
      restores('null'),
    ],
    [
      'in the place of a version that is not',
      recorded({ replaced: { size: 1, versionId: 'null' } }),
      [version('null', 1), version('v1', -9, others)],
      refuses,
    ],
    [
      'in the place of a version that nobody named, and that is kept',
      recorded({ replaced: { size: 5, etag: others.etag } }),
      [version('null', 1), version('v1', -9, others)],
      restores('null'),
    ],
    [
      'in the place of a version that nobody named, and that is not',
      recorded({ replaced: { size: 5, etag: '"lost"' } }),
      [version('null', 1), version('v1', -9, others)],
      refuses,
    ],
    [
      'in the place of a version of which only the size is known',
      recorded({ replaced: { size: 5 } }),
      [version('null', 1), version('v1', -9, others)],
      refuses,
    ],
    [
      'in the place of something, on top of a deletion',
      recorded({ replaced: { size: 0 } }),
      [version('null', 1), version('v1', -9, marker)],
      refuses,
    ],
    ['without having asked', recorded(), [version('null', 1)], refuses],
    ['changed since', asked, [version('null', 5, others)], leaves],
    ['deleted since', asked, [version('null', 5, marker)], nothing],
    ['no version at all', asked, [], nothing],
    ['uploaded while all were kept', answered, [version('v9', 1), version('v1', -9, others)], restores('v9')],
  ])('%s', (_name, object, versions, decision) => {
    expect(decideSuspended(object, versions)).toEqual(decision)
  })
})

describe('where no versions are kept', () => {
  const asked = recorded({ replaced: null })
  const unsure = { uploaded: undefined, unsure: failed() }
  const crc32 = (value: string) => ({ checksum: { algorithm: 'crc32', value } as const })
  const plain = recorded({ uploaded: uploaded({ etag: undefined }), replaced: null })
  const found = { key: 'a.wav', size: 5, etag: '"ours"' }
  const at = (seconds: number) => ({ key: 'a.wav', size: 5, lastModified: new Date(began + seconds * 1000) })

  it.each([
    ['new, as it was sent', asked, found, removes(undefined)],
    ['gone', asked, undefined, nothing],
    ['another ETag', asked, { ...found, ...others }, leaves],
    ['another size', asked, { ...found, size: 6 }, leaves],
    ['without having asked', recorded(), found, refuses],
    ['without having asked, changed since', recorded(), { ...found, ...others }, leaves],
    ['in the place of another', recorded({ replaced: { size: 1 } }), found, refuses],
    [
      'an ETag that is told in two ways, the same checksum',
      recorded({ uploaded: uploaded(crc32('AAAA')), replaced: null }),
      { ...found, ...others, ...crc32('AAAA') },
      removes(undefined),
    ],
    [
      'another checksum',
      recorded({ uploaded: uploaded(crc32('AAAA')), replaced: null }),
      { ...found, ...crc32('BBBB') },
      leaves,
    ],
    ['only a time, that of the upload', plain, at(1), removes(undefined)],
    ['only a time, later', plain, at(60), leaves],
    ['only a time, earlier', plain, at(-60), leaves],
    ['not even a time', plain, { key: 'a.wav', size: 5 }, leaves],
    [
      'only a time, after several attempts',
      recorded({ uploaded: uploaded({ etag: undefined, attempts: 3 }), replaced: null }),
      at(60),
      removes(undefined),
    ],
    [
      'only a time, after several attempts, within the run',
      recorded({ uploaded: uploaded({ etag: undefined, attempts: 3 }), replaced: null, endedAtMs: began + 60_000 }),
      at(64),
      removes(undefined),
    ],
    [
      'only a time, after several attempts, after the run',
      recorded({ uploaded: uploaded({ etag: undefined, attempts: 3 }), replaced: null, endedAtMs: began + 60_000 }),
      at(66),
      leaves,
    ],
    [
      'an attempt that failed, and an object of later than the run',
      recorded({ ...unsure, replaced: null, endedAtMs: began + 60_000 }),
      at(66),
      leaves,
    ],
    [
      'an attempt that failed, and an object of nobody knows when',
      recorded({ ...unsure, replaced: null, endedAtMs: began + 60_000 }),
      found,
      removes(undefined),
    ],
    ['an attempt that failed but was stored', recorded({ ...unsure, replaced: null }), found, removes(undefined)],
    ['an attempt that failed', recorded({ ...unsure, replaced: null }), undefined, nothing],
    ['an attempt that failed, and others', recorded({ ...unsure, replaced: null }), { ...found, size: 6 }, leaves],
    ['an attempt that failed, without having asked', recorded(unsure), found, leaves],
    ['an attempt that failed, without having asked, of its time', recorded(unsure), at(1), leaves],
    ['an attempt that failed, without having asked, older than it', recorded(unsure), at(-60), nothing],
    [
      'an attempt that failed, though nothing was there, by another clock',
      recorded({ ...unsure, replaced: null }),
      at(-60),
      removes(undefined),
    ],
    ['an attempt that failed, without having asked, another size', recorded(unsure), { ...found, size: 6 }, nothing],
    [
      'an attempt that failed, what it would have replaced still there',
      recorded({ ...unsure, replaced: { size: 5, etag: '"ours"' } }),
      found,
      nothing,
    ],
  ])('%s', (_name, object, info, decision) => {
    expect(decideUnversioned(object, info)).toEqual(decision)
  })
})
