import { describe, expect, it } from 'vitest'
import type { ObjectProperties } from '../../../../src/destinations/destination.ts'
import {
  createCacheControlNotes,
  metadataHeader,
  readMetadata,
  resumableMetadata,
} from '../../../../src/destinations/supabase/tus-metadata.ts'

/** What is told of these, one after the other. */
function notesOn(...all: readonly (ObjectProperties | undefined)[]): string[] {
  const told: string[] = []
  const note = createCacheControlNotes((message) => told.push(message))
  for (const properties of all) note(properties)
  return told
}

const object = { key: 'a/b c.wav', contentType: 'audio/wav' }

describe('what an upload begins with', () => {
  it('is the bucket, the key as it is, the type, and what storage-js keeps it for', () => {
    expect(resumableMetadata('audio', object)).toEqual({
      bucketName: 'audio',
      objectName: 'a/b c.wav',
      contentType: 'audio/wav',
      cacheControl: '3600',
    })
  })

  it("has the user's own as JSON", () => {
    const { metadata } = resumableMetadata('audio', { ...object, properties: { metadata: { take: '7', mic: 'a"b' } } })
    expect(JSON.parse(metadata ?? '')).toEqual({ take: '7', mic: 'a"b' })
  })

  it.each<[string, string | undefined, string | undefined]>([
    ['max-age=60', '60', undefined],
    ['max-age=0', '0', undefined],
    ['Max-Age=60', '60', undefined],
    ['no-cache', undefined, undefined],
    ['No-Cache', undefined, undefined],
    ['public, max-age=31536000, immutable', '31536000', '"max-age=31536000"'],
    ['public,max-age=5', '5', '"max-age=5"'],
    ['s-maxage=60', undefined, '"no-cache"'],
    ['x-max-age=60', undefined, '"no-cache"'],
    ['no-store', undefined, '"no-cache"'],
    ['max-age=99999999999', undefined, '"no-cache"'],
    ['max-age=-1', undefined, '"no-cache"'],
  ])('takes of a cache control the seconds alone: %s', (cacheControl, seconds, kept) => {
    const properties = { cacheControl }
    expect(resumableMetadata('audio', { ...object, properties }).cacheControl).toBe(seconds)
    const [problem] = notesOn(properties)
    if (kept === undefined) expect(problem).toBeUndefined()
    else expect([problem?.includes(`"${cacheControl}"`), problem?.endsWith(kept)]).toEqual([true, true])
  })

  it('is no matter of warnings where nothing was asked for', () => {
    expect(notesOn(undefined, { metadata: {} })).toEqual([])
  })

  it('is told once, and of many a few times', () => {
    const others = Array.from({ length: 20 }, (_, n) => ({ cacheControl: `no-store, x=${n}` }))
    expect(notesOn(others[0], others[0], others[1], others[0])).toHaveLength(2)
    expect(notesOn(...others, ...others)).toHaveLength(5)
  })

  it('has the modification time with the rest, or alone', () => {
    const mtimeNs = 1_763_800_000_500_000_000n
    expect(resumableMetadata('audio', { ...object, mtimeNs }).metadata).toBe('{"mtime":"1763800000.5"}')
    const properties = { metadata: { take: '7' } }
    expect(resumableMetadata('audio', { ...object, properties, mtimeNs }).metadata).toBe(
      '{"take":"7","mtime":"1763800000.5"}',
    )
  })
})

describe('the header of it', () => {
  it('has names, and values in base64, as the protocol shows it', () => {
    const shown = { filename: 'world_domination_plan.pdf', is_confidential: '' }
    expect(metadataHeader({ filename: shown.filename })).toBe('filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==')
    expect(readMetadata('filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential')).toEqual(
      new Map(Object.entries(shown)),
    )
  })

  it.each(['a', 'a b', 'é.wav', ',=;', '日本', '😀'])('can be read again, whatever it holds: %s', (key) => {
    const metadata = resumableMetadata('audio', { ...object, key })
    expect(metadataHeader(metadata)).toMatch(/^[\w =+/,]*$/)
    expect(Object.fromEntries(readMetadata(metadataHeader(metadata)))).toEqual(metadata)
  })
})
