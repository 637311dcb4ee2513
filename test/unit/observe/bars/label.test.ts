import { describe, expect, it } from 'vitest'
import { fileLabel, fitLabel } from '../../../../src/observe/bars/label.ts'
import { displayWidth } from '../../../../src/observe/format.ts'

describe('fileLabel', () => {
  it.each([
    ['./audio/take-0007.wav', '2026/take-0007.wav', 'take-0007.wav'],
    ['site/a/index.html', 'www/a/index.html', 'a/index.html'],
    ['/srv/data/x.csv', 'x.csv', 'x.csv'],
    ['audio\\take.wav', 'in/take.wav', 'take.wav'],
    ['./cafe\u0301.txt', 'caf\u00e9.txt', 'caf\u00e9.txt'],
    ['./audio/take.wav', 'in/0192f0c1.wav', 'audio/take.wav'],
    ['-', 'in/dump.sql', '-'],
  ])('%s stored as %s: %s', (path, key, label) => expect(fileLabel(path, key)).toBe(label))
})

describe('fitLabel', () => {
  it.each([
    ['a/b/take.wav', 14, 'a/b/take.wav  '],
    ['folder/inner/take.wav', 18, '…/inner/take.wav  '],
    ['folder/inner/take.wav', 12, '…/take.wav  '],
    ['folder/inner/take.wav', 9, 'take.wav '],
    ['folder/inner/take.wav', 6, 'ta…wav'],
    ['録音/東京/テスト.wav', 15, '…/テスト.wav   '],
  ])('%s in %d columns', (label, width, expected) => {
    expect(fitLabel(label, width)).toBe(expected)
    expect(displayWidth(expected)).toBe(width)
  })
})
