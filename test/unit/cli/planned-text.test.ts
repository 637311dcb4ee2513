import { describe, expect, it } from 'vitest'
import { planColumns, plannedRecord } from '../../../src/cli/planned-text.ts'
import { UploadError } from '../../../src/errors.ts'
import type { PlannedUpload } from '../../../src/upload.ts'
import { rolloutOf } from '../../support/rollout-settings.ts'
import { noEntries, planned, ruleNamed } from './planned.ts'

const problem = new UploadError('KEY_INVALID', 'its key would hold\na control character')
const { heading, line } = planColumns(noEntries)

describe('planColumns', () => {
  it.each<[string, PlannedUpload, string]>([
    ['the heading', planned(), heading],
    ['a small file', planned({ size: 5 }), 'upload       5 B               audio/wav         ./a.wav → s3://b/x/a.wav'],
    ['a file in parts', planned(), 'upload   60.1 MB  8 × 8 MiB    audio/wav         ./a.wav → s3://b/x/a.wav'],
    [
      'a type with a parameter, and a long one',
      planned({ size: 5, contentType: 'application/octet-stream; charset=x' }),
      'upload       5 B               applica…t-stream  ./a.wav → s3://b/x/a.wav',
    ],
    [
      'a key that was changed',
      planned({ size: 5, path: './é\t.wav', key: 'x/=C3=A9.wav', originalKey: 'x/é\t.wav' }),
      'upload       5 B               audio/wav         ./é\\t.wav → s3://b/x/=C3=A9.wav  (its key would have been x/é\\t.wav)',
    ],
    [
      'standard input',
      planned({ path: '-', size: undefined }),
      'upload         ?               audio/wav         - → s3://b/x/a.wav',
    ],
    [
      'what would fail',
      planned({ size: 5, path: 'e\u001b[31m', problem }),
      'fail         5 B               audio/wav         e\\x1b[31m: its key would hold a control character (KEY_INVALID)',
    ],
    [
      'what would be skipped',
      planned({ skip: 'excluded-by-rule' }),
      'skip     60.1 MB               audio/wav         ./a.wav (excluded-by-rule)',
    ],
  ])('shows %s', (what, upload, expected) => {
    expect(what === 'the heading' ? heading : line(upload)).toBe(expected)
  })

  it('names the properties, by their options', () => {
    const properties = {
      cacheControl: 'max-age=60',
      contentEncoding: undefined,
      metadata: { take: '7\n', mic: 'left' },
      tags: { keep: 'yes' },
      sseKmsKeyId: 'k',
    }
    expect(line(planned({ properties }))).toMatch(
      / \[cache-control max-age=60, metadata take=7\\n, metadata mic=left, tag keep=yes, sse-kms-key-id k\]$/,
    )
  })

  it('says which rule and route decided, where there can be any', () => {
    const settings = { ...noEntries, rules: [ruleNamed('rules[0]'), ruleNamed('rules[10]')] }
    const { heading, line } = planColumns(settings)
    expect(heading).toBe('what        size  parts        type              by         file')
    expect(line(planned({ size: 5, decidedBy: ['rules[0]'] }))).toBe(
      'upload       5 B               audio/wav         rules[0]   ./a.wav → s3://b/x/a.wav',
    )
    expect(line(planned({ size: 5 }))).toMatch(/audio\/wav {20}\.\/a\.wav/)
  })

  it('has room for a rule and a route at once', () => {
    const route = { ...ruleNamed('routes[0]'), settings: planned().lane.settings as never }
    const { line } = planColumns({ ...noEntries, rules: [ruleNamed('rules[0]')], routes: [route] })
    expect(line(planned({ size: 5, decidedBy: ['rules[0]', 'routes[0]'] }))).toContain(
      'audio/wav         rules[0] routes[0]  ./a.wav',
    )
  })
})

describe('a rollout', () => {
  const rolledOut = { ...noEntries, rollout: rolloutOf() }

  it('decides for its candidate', () => {
    const { heading, line } = planColumns({ ...rolledOut, rules: [ruleNamed('rules[0]')] })
    const decidedBy = ['rules[0]']
    expect(line(planned({ size: 5, decidedBy, side: 'candidate' }))).toContain('rules[0] rollout: candidate  ./a.wav')
    expect(line(planned({ size: 5, decidedBy, side: 'baseline' }))).toMatch(/ {2}rules\[0\] {21}\.\/a\.wav/)
    expect(heading).toMatch(/ {2}by {27}file$/)
    expect(plannedRecord(planned({ side: 'baseline' }))).toMatchObject({ side: 'baseline' })
    expect(plannedRecord(planned())).not.toHaveProperty('side', expect.anything())
  })

  it('that is switched off does not', () => {
    const { heading: without } = planColumns({ ...noEntries, rollout: { ...rolloutOf(), isEnabled: false } })
    expect(without).toBe(heading)
  })
})

describe('plannedRecord', () => {
  it('has the fields of a file line, and how it would be sent', () => {
    expect(plannedRecord(planned({ decidedBy: ['routes[1]'], properties: { cacheControl: 'no-cache' } }))).toEqual({
      type: 'planned',
      path: './a.wav',
      source: 'a.wav',
      key: 'x/a.wav',
      destination: 's3://b/x/',
      engine: 'standard',
      size: 60_100_000,
      mtime: '2026-11-22T00:00:00.000Z',
      parts: 8,
      partSize: 8 * 2 ** 20,
      contentType: 'audio/wav',
      properties: { cacheControl: 'no-cache' },
      decidedBy: ['routes[1]'],
    })
    expect(plannedRecord(planned({ size: 5 }))).toMatchObject({ parts: 1, partSize: null })
  })

  it('goes by the limits of the destination', () => {
    const limits = { minPartSize: 2 ** 25 }
    expect(plannedRecord(planned({}, { limits, multipart: {} }))).toMatchObject({ parts: 2, partSize: 2 ** 25 })
  })

  it('has what would fail or be skipped, and why', () => {
    const { message } = problem
    expect(plannedRecord(planned({ originalKey: 'x/é.wav' }))).toMatchObject({ key: 'x/a.wav', originalKey: 'x/é.wav' })
    expect(plannedRecord(planned({ skip: 'duplicate-content' }))).toMatchObject({
      skip: 'duplicate-content',
      parts: null,
    })
    expect(plannedRecord(planned({ size: undefined, mtimeMs: undefined, problem }))).toMatchObject({
      size: null,
      mtime: null,
      parts: null,
      partSize: null,
      error: { code: 'KEY_INVALID', message, retryable: false },
    })
  })
})
