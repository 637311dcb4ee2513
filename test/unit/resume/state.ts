import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalRecord } from '../../../src/observe/records.ts'
import type { StatePlaces } from '../../../src/observe/state-directory.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { textOf } from './journal.ts'

export interface State {
  readonly root: string
  readonly places: StatePlaces
  /** Writes a journal that was written to at this second, and says where it is. */
  readonly journal: (name: string, seconds: number, ...lines: readonly (JournalRecord | string)[]) => Promise<string>
}

/** A state directory that is gone when the test ends. */
export async function state(): Promise<State> {
  const root = await tempDir()
  const places = { xdgStateHome: join(root, 'state'), home: join(root, 'home'), temporary: join(root, 'tmp') }
  return {
    root,
    places: { ...places, uid: process.getuid?.() },
    async journal(name, seconds, ...lines) {
      const home = name.startsWith('home/') ? join(root, 'home', '.local', 'state') : join(root, 'state')
      const runs = join(home, 'upload', 'runs')
      await mkdir(runs, { recursive: true })
      const path = join(runs, `${name.replace('home/', '')}.jsonl`)
      await writeFile(path, textOf(...lines))
      await utimes(path, seconds, seconds)
      return path
    },
  }
}
