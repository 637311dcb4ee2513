import { describe, expect, it } from 'vitest'
import { markupOf, textOf } from '../../../../src/plan/limits/text-bytes.ts'
import { randomFrom } from '../../../support/random.ts'

function utf32(text: string, isBig: boolean): Buffer {
  const points = [0xfeff, ...Array.from(text, (character) => character.codePointAt(0) as number)]
  const bytes = Buffer.alloc(points.length * 4)
  for (const [at, point] of points.entries()) {
    if (isBig) bytes.writeUInt32BE(point, at * 4)
    else bytes.writeUInt32LE(point, at * 4)
  }
  return bytes
}

function utf16(text: string, isBig: boolean): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return isBig ? bytes.swap16() : bytes
}

const awkward = 'a ä € 😀\t\r\n\f\v\u001b[0m'

describe('text, whatever the encoding', () => {
  it.each<[string, Buffer]>([
    ['UTF-8', Buffer.from(awkward)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${awkward}`)],
    ['UTF-16', utf16(awkward, false)],
    ['UTF-16, big-endian', utf16(awkward, true)],
    ['UTF-32', utf32(awkward, false)],
    ['UTF-32, big-endian', utf32(awkward, true)],
  ])('%s', (_, bytes) => {
    expect(textOf(bytes, true)).toBe(awkward)
  })

  it('may be cut off anywhere, if there is more of it', () => {
    for (const bytes of [Buffer.from('ä€😀'), utf16('ä€😀', false), utf16('ä€😀', true), utf32('ä€😀', false)]) {
      for (let length = 4; length < bytes.length; length += 1) {
        const text = textOf(bytes.subarray(0, length), false)
        expect(text).toBeDefined()
        expect('ä€😀'.startsWith(text as string)).toBe(true)
      }
    }
  })

  it('may not be cut off where it ends', () => {
    for (const bytes of [Buffer.from('ä'), utf16('ä', false), utf16('ä', true), utf32('ä', false)]) {
      expect(textOf(bytes.subarray(0, -1), true)).toBeUndefined()
    }
    expect(textOf(utf16('😀', false).subarray(0, -2), true)).toBeUndefined()
  })

  it('an empty one', () => {
    expect(textOf(Buffer.alloc(0), false)).toBe('')
  })
})

describe('no text', () => {
  it.each<[string, Buffer]>([
    ['NUL', Buffer.from('a\0b')],
    ['backspace', Buffer.from('a\bb')],
    ['DEL', Buffer.from('a\u007fb')],
    ['Latin-1', Buffer.from('sch\xf6n', 'latin1')],
    ['continuations alone', Buffer.from([0x80, 0x81, 0x82, 0x83])],
    ['an overlong one', Buffer.from([0xc0, 0xaf, 0x41])],
    ['half a pair in UTF-16', Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00])],
    ['NUL in UTF-16', utf16('a\0b', false)],
    ['too high in UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0, 0, 0x11, 0])],
    ['half a pair in UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0, 0xd8, 0, 0])],
    ['UTF-16 without a mark', Buffer.from('text', 'utf16le')],
    ['samples', Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 7) % 256))],
  ])('%s', (_, bytes) => {
    expect(textOf(bytes, false)).toBeUndefined()
    expect(textOf(bytes, true)).toBeUndefined()
  })
})

describe('markup', () => {
  it.each<[string, ReturnType<typeof markupOf>]>([
    ['<!DOCTYPE html>', 'text/html'],
    ['<!doctype\n HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">', 'text/html'],
    ['<html>', 'text/html'],
    ['<HTML lang="de">', 'text/html'],
    ['<html', 'text/html'],
    [' \n\ufeff<!-- one --><!-- two -->\n<html>', 'text/html'],
    ['<?xml version="1.0"?><!DOCTYPE html>', 'text/html'],
    ['<svg width="1">', 'image/svg+xml'],
    ['<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN">', 'image/svg+xml'],
    ['<?xml version="1.0"?>\n<!-- drawn --><svg>', 'image/svg+xml'],
    ['<?xml version="1.0"?><feed>', 'application/xml'],
    ['<?xml version="1.0"', 'application/xml'],
    ['<?php echo "<html>" ?>', undefined],
    ['<!-- <html> is not closed', undefined],
    ['<html-like>', undefined],
    ['<svgs>', undefined],
    ['<p>a part of a page</p>', undefined],
    ['text about <html>', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(markupOf(text)).toBe(expected)
  })

  it('takes no longer for what is made to take long', () => {
    expect(markupOf('<!---->'.repeat(600))).toBeUndefined()
    expect(markupOf(`${'<!--'.repeat(1000)}<html>`)).toBeUndefined()
  })
})

it('whatever the bytes, they are text or not', () => {
  const random = randomFrom(3)
  for (let round = 0; round < 5000; round += 1) {
    const bytes = Buffer.from(
      Array.from({ length: random.below(12) }, () => random.oneOf([0, 0xfe, 0xff, 0xef, 0x41, 0xd8, 0xe2, 0x82])),
    )
    const text = textOf(bytes, random.below(2) === 0)
    if (text !== undefined) expect(text.isWellFormed()).toBe(true)
  }
})
