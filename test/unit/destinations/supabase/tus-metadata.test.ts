import { describe, expect, it } from 'vitest'
import {
  cacheControlProblem,
  metadataHeader,
  readMetadata,
  resumableMetadata,
} from '../../../../src/destinations/supabase/tus-metadata.ts'

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
    const problem = cacheControlProblem(properties)
    if (kept === undefined) expect(problem).toBeUndefined()
    else expect([problem?.includes(`"${cacheControl}"`), problem?.endsWith(kept)]).toEqual([true, true])
  })

  it('is no matter of warnings where nothing was asked for', () => {
    expect([cacheControlProblem(undefined), cacheControlProblem({ metadata: {} })]).toEqual([undefined, undefined])
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
