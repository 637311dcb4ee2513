import { describe, expect, it, vi } from 'vitest'
import { compileDateFormat, dateFormatFault, usualDateFormat } from '../../../../src/plan/keys/date-format.ts'

const moment = Date.UTC(2026, 10, 2, 7, 8, 9, 45)

describe('a date format', () => {
  it.each([
    [usualDateFormat, '2026-11-02'],
    ['yyyy/MM/dd', '2026/11/02'],
    ['yyyyMMdd', '20261102'],
    ['HH:mm:ss.SSS', '07:08:09.045'],
    ["yyyy-MM-dd'T'HHmmss'Z'", '2026-11-02T070809Z'],
    ["''yyyy''", "'2026'"],
    ["'it''s' yyyy", "it's 2026"],
    ["'yyyy'", 'yyyy'],
    ['yyyy年MM月', '2026年11月'],
    ['%', '%'],
  ])('%s', (format, written) => {
    expect(dateFormatFault(format)).toBeUndefined()
    expect(compileDateFormat(format)(moment)).toBe(written)
  })

  it.each([
    ['', 'has no format'],
    ['YYYY', '"YYYY"'],
    ['yy', '"yy"'],
    ['yyyyy', '"yyyyy"'],
    ['M', '"M"'],
    ['yyyy-MM-ddTHH', '"T"'],
    ['hh', '"hh"'],
    ["yyyy'", 'a quote'],
    ["'a''", 'a quote'],
  ])('%j is none', (format, said) => {
    expect(dateFormatFault(format)).toContain(said)
  })

  it('is UTC wherever it is written', () => {
    vi.stubEnv('TZ', 'Pacific/Auckland')
    try {
      expect(new Date(moment).getHours()).not.toBe(7)
      expect(compileDateFormat('dd HH')(moment)).toBe('02 07')
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('writes times before 1970, and fractions of a millisecond', () => {
    expect(compileDateFormat('yyyy-MM-dd SSS')(-1.5)).toBe('1969-12-31 999')
    expect(compileDateFormat('SSS')(1.999)).toBe('001')
  })
})
