import { describe, expect, it } from 'vitest'
import { canonicalType, isTextKind, mayBeSame } from '../../../../src/plan/limits/media-types.ts'

describe('one name for a type', () => {
  it.each([
    ['audio/x-wav', 'audio/wav'],
    ['audio/vnd.wave', 'audio/wav'],
    ['Audio/X-FLAC', 'audio/flac'],
    ['audio/x-m4a', 'audio/mp4'],
    ['audio/ogg; codecs=opus', 'audio/ogg'],
    ['text/csv; charset=utf-8', 'text/csv'],
    ['video/MP2P', 'video/mpeg'],
    ['image/vnd.microsoft.icon', 'image/icon'],
    ['application/x-gzip', 'application/gzip'],
    ['application/vnd.rar', 'application/rar-compressed'],
    ['application/nothing-known', 'application/nothing-known'],
  ])('%s: %s', (given, expected) => {
    expect(canonicalType(given)).toBe(expected)
  })
})

describe('types that bytes do not tell apart', () => {
  it.each([
    ['audio/mp4', 'video/mp4', true],
    ['audio/webm', 'video/matroska', true],
    ['audio/opus', 'application/ogg', true],
    ['audio/ms-wma', 'application/vnd.ms-asf', true],
    ['image/heif', 'image/heic', true],
    ['image/sony-arw', 'image/tiff', true],
    ['image/sony-arw', 'image/nikon-nef', false],
    ['application/epub+zip', 'application/zip', true],
    ['application/epub+zip', 'application/java-archive', false],
    ['application/vnd.ms-excel', 'application/zip', false],
    ['application/vnd.ms-excel', 'application/cfb', true],
    ['application/vnd.ms-excel.sheet.macroenabled.12', 'application/zip', true],
    ['application/geopackage+sqlite3', 'application/sqlite3', true],
    ['audio/wav', 'audio/flac', false],
    ['audio/mp4', 'audio/ogg', false],
    ['image/png', 'image/jpeg', false],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(mayBeSame(one, other)).toBe(expected)
    expect(mayBeSame(other, one)).toBe(expected)
  })
})

it.each([
  ['text/markdown', true],
  ['application/json', true],
  ['application/ld+json', true],
  ['image/svg+xml', true],
  ['audio/mpegurl', true],
  ['audio/wav', false],
  ['application/pdf', false],
  ['application/rtf', false],
])('%s stands for text: %s', (type, expected) => {
  expect(isTextKind(type)).toBe(expected)
})
