import { writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { loadSettings, type SettingsInput } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { UsageError } from '../../../src/errors.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** A working directory with a config in it. */
export interface Loading {
  readonly file: string
  load(input?: Partial<SettingsInput>): Promise<Settings>
  /** What is wrong, without the config's own path before each. */
  faults(input?: Partial<SettingsInput>): Promise<readonly string[]>
}

/** Settings of `upload a` with this config. */
export async function withConfig(json: unknown): Promise<Loading> {
  const cwd = await tempDir()
  const file = `${cwd}/.uploadrc.json`
  await writeFile(file, JSON.stringify(json), { mode: 0o644 })
  const load = (input: Partial<SettingsInput> = {}): Promise<Settings> =>
    loadSettings({ flags: {}, args: ['a'], env: {}, cwd, home: cwd, uid: process.getuid?.(), ...input })
  return {
    file,
    load,
    async faults(input) {
      const thrown: unknown = await load(input).then(
        () => undefined,
        (error) => error,
      )
      expect(thrown).toBeInstanceOf(UsageError)
      return (thrown as UsageError).faults.map((fault) =>
        fault.replace(new RegExp(`^${file}: `), '').replaceAll(file, 'CONFIG'),
      )
    },
  }
}
