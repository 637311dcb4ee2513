import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import type { RunRecord } from '../observe/records.ts'

/** What a run's sources were named from. */
export type Naming = Pick<Settings, 'base' | 'filesFrom' | 'sources'> & { readonly cwd: string }

/** The directory that a run's paths are relative to: a list's lines count from `--base`, all else from where it ran. */
export function anchorOf({ cwd, base, filesFrom, sources }: Naming): string {
  return filesFrom !== undefined && base !== undefined && sources.length === 0 ? resolve(cwd, base) : cwd
}

/** As {@link Naming}, of a run that was journaled; what is missing in it is taken for not given. */
export function namingOf({ cwd, config }: Pick<RunRecord, 'cwd' | 'config'>): Naming {
  const { sources, base, filesFrom } = config
  return {
    cwd,
    sources: Array.isArray(sources) ? sources.map(String) : [],
    base: typeof base === 'string' ? base : undefined,
    filesFrom: typeof filesFrom === 'string' ? filesFrom : undefined,
  }
}

/** What a file is found again by: its absolute path, and its which occurrence that is. Standard input has no path. */
export function identityOf(anchor: string, path: string, occurrence: number | undefined): string {
  const absolute = path === '-' ? '-' : resolve(anchor, path)
  return occurrence === undefined ? absolute : `${absolute}\0${occurrence}`
}
