import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Part } from '../../../../src/destinations/destination.ts'
import { multipartEtag } from '../../../../src/destinations/s3/settle-complete.ts'

const md5 = (text: string) => createHash('md5').update(text)
const part = (partNumber: number, etag: string | undefined): Part => ({ partNumber, size: 1, etag })

it('makes the ETag S3 makes of parts', () => {
  const whole = createHash('md5').update(md5('a').digest()).update(md5('b').digest()).digest('hex')
  const [a, b] = [md5('a').digest('hex'), md5('b').digest('hex')]
  expect(multipartEtag([part(1, `"${a}"`), part(2, `"${b}"`)])).toBe(`${whole}-2`)
  expect(multipartEtag([part(1, a), part(2, b.toUpperCase())])).toBe(`${whole}-2`)
  expect(multipartEtag([part(1, b), part(2, a)])).not.toBe(`${whole}-2`)
})

it.each(['"abc"', undefined, '', `${md5('a').digest('hex')}0`, `"${md5('a').digest('hex')}-2"`])(
  'makes none of %j, which is no MD5 sum',
  (etag) => {
    expect(multipartEtag([part(1, md5('a').digest('hex')), part(2, etag)])).toBeUndefined()
  },
)
