import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { readJournal } from '../support/journal.ts'
import { listFiles } from '../support/workspace.ts'

describe('a state directory that cannot be used', () => {
  command('upload a.wav --to file:./out/', async ({ ws, run }) => {
    await ws.writeAll('a.wav', 'a-file')
    const result = await run({ state: ws.path('a-file') })
    expectCode(result, 0)
    expect(result.stderr.match(/^upload: warning: .*a-file.*$/gm)).toHaveLength(1)
    const runs = join(ws.home, '.local', 'state', 'upload', 'runs')
    const [journal] = (await listFiles(runs)).filter((name) => name.endsWith('.jsonl'))
    expect((await readJournal(join(runs, journal ?? ''))).summary).toMatchObject({ exitCode: 0, uploaded: 1 })
  })
})
