import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { md5OfEtag, multipartEtagOf, partsOfEtag, plainEtag } from '../../../src/destinations/etag.ts'

const sum = createHash('md5').update('x').digest('hex')

describe('an ETag', () => {
  it.each([
    [`"${sum}"`, sum, undefined],
    [sum.toUpperCase(), sum, undefined],
    [`"${sum}-3"`, undefined, 3],
    [`${sum}-10000`, undefined, 10_000],
    [`"${sum}-"`, undefined, undefined],
    [`"${sum}-x"`, undefined, undefined],
    ['"abc"', undefined, undefined],
    [`W/"${sum}"`, sum, undefined],
    ['', undefined, undefined],
    [undefined, undefined, undefined],
  ])('%s: MD5 %s, parts %s', (etag, md5, parts) => {
    expect([md5OfEtag(etag), partsOfEtag(etag)]).toEqual([md5, parts])
  })

  it('of an object made of parts is that of S3', () => {
    // Two parts, "a" and "b": the MD5 of both sums one behind the other.
    const sums = ['0cc175b9c0f1b6a831c399e269772661', '92eb5ffee6ae2fec3ad71c777531578f']
    const expected = createHash('md5')
      .update(Buffer.from(sums.join(''), 'hex'))
      .digest('hex')
    expect(multipartEtagOf(sums)).toBe(`${expected}-2`)
    expect(plainEtag(`"${expected.toUpperCase()}-2"`)).toBe(multipartEtagOf(sums))
  })
})
