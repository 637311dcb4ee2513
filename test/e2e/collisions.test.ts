import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

const composed = 'caf\u00e9.txt'
const decomposed = 'cafe\u0301.txt'

describe('two files with one key', () => {
  const cases: [line: string, both: [string, string]][] = [
    ['upload audio/a.wav video/a.wav --to file:./out', ['audio/a.wav', 'video/a.wav']],
    ['upload audio video --to file:./out', ['audio/a.wav', 'video/a.wav']],
    ['upload . --flatten --exclude out --to file:./out', ['audio/a.wav', 'video/a.wav']],
    ["upload 'audio/*' 'video/*' --to file:./out", ['audio/a.wav', 'video/a.wav']],
    ["upload audio --key '{name}' --to file:./out", ['audio/a.wav', 'audio/a.mp3']],
    ['upload audio/a.wav audio/a.mp3 --key same.bin --to file:./out', ['audio/a.wav', 'audio/a.mp3']],
  ]
  for (const [line, both] of cases) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav', 'audio/a.mp3', 'audio/other.wav', 'video/a.wav')
      const result = await run()
      expectRefused(result, ...both)
      expect(result.stderr).toMatch(/--base|--key|--flatten|rename/)
      expect(await ws.list('out')).toEqual([])
    })
  }

  command(
    'upload many --flatten --to file:./out',
    async ({ ws, run }) => {
      for (let n = 0; n < 300; n += 1) await ws.write(`many/${n % 100}/file-${n}.txt`)
      await ws.writeAll('many/0/same.txt', 'many/99/same.txt')
      expectRefused(await run(), 'many/0/same.txt', 'many/99/same.txt')
      expect(await ws.list('out')).toEqual([])
    },
    'far apart',
  )
})

describe('one file given twice', () => {
  const lines = [
    'upload audio/a.wav audio/a.wav --to file:./out',
    'upload audio/a.wav ./audio/../audio/a.wav --to file:./out',
    "upload audio 'audio/*.wav' audio/a.wav --to file:./out",
  ]
  for (const line of lines) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav')
      expectCode(await run(), 0)
      expect(await ws.tree('out')).toEqual({ 'a.wav': 'audio/a.wav' })
      const { files, summary } = await ws.journal()
      expect(files).toHaveLength(1)
      expect(summary).toMatchObject({ files: 1, uploaded: 1, skipped: 0 })
    })
  }

  command(
    'upload audio audio/x/b.wav --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('audio/x/b.wav')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['b.wav', 'x/b.wav'])
    },
    'under two keys it is two objects',
  )
})

describe('Unicode', () => {
  command(
    'upload texts --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll(`texts/${decomposed}`)
      expectCode(await run(), 0)
      const [file] = (await ws.journal()).files
      expect(file).toMatchObject({ key: composed, source: composed })
      expect(await ws.list('out')).toEqual([process.platform === 'darwin' ? file?.key : composed])
    },
    'a decomposed name is stored composed',
  )

  command(
    'upload texts --to file:./out',
    async ({ ws, run }) => {
      await ws.write(`texts/${composed}`, 'one')
      await writeFile(join(ws.cwd, 'texts', decomposed), 'two')
      if ((await ws.list('texts')).length === 1) {
        console.log('Not tried: this file system takes both forms of a name for one file.')
        return
      }
      expectRefused(await run(), 'caf')
      expect(await ws.list('out')).toEqual([])
    },
    'both forms of one name in one directory',
  )
})
