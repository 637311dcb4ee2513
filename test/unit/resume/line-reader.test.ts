import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openLineReader } from '../../../src/resume/line-reader.ts'
import { tempDir } from '../../support/temp-dir.ts'

it('reads lines of any length from where they begin, in any order', async () => {
  const path = join(await tempDir(), 'r.jsonl')
  const lines = Array.from({ length: 400 }, (_, n) => `${n} ${'ö'.repeat(n % 50 === 0 ? 100_000 + n : n)}`)
  const offsets: number[] = []
  let size = 0
  for (const line of lines) {
    offsets.push(size)
    size += Buffer.byteLength(line) + 1
  }
  await writeFile(path, `${lines.join('\n')}\ntorn`)
  const reader = await openLineReader(path)
  for (let step = 0; step < 400; step += 1) {
    const n = (step * 57) % 400
    expect((await reader.read(offsets[n] as number))?.toString()).toBe(lines[n])
  }
  for (const n of [3, 2, 1, 0]) expect((await reader.read(offsets[n] as number))?.toString()).toBe(lines[n])
  expect(await reader.read(size)).toBeUndefined()
  expect(await reader.read(size + 1_000_000)).toBeUndefined()
  await reader.close()
})
