import { access, lstat, open, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fault } from '../given.ts'
import { findJsonFault } from './json-fault.ts'

/** A config file's JSON, or why it cannot be used. */
export interface ConfigFile {
  readonly path: string
  /** Somebody named it, rather than it being found. */
  readonly named: boolean
  readonly json?: unknown
  readonly faults: readonly string[]
}

export interface ConfigSearch {
  /** The file somebody named, and where they did. */
  readonly named?: { readonly path: string; readonly from: string } | undefined
  readonly cwd: string
  readonly home: string | undefined
  /** The user's id; undefined where the system has none (Windows). */
  readonly uid: number | undefined
}

const fileName = '.uploadrc.json'

/** Reads the config that is named, or else the nearest one; `undefined` where there is none. */
export async function readConfigFile(search: ConfigSearch): Promise<ConfigFile | undefined> {
  if (search.named !== undefined) {
    const path = resolve(search.cwd, search.named.path)
    return readJson(path, true, undefined, search.named.from)
  }
  const path = await findConfigFile(search)
  return path === undefined ? undefined : readJson(path, false, search.uid, path)
}

/**
 * The nearest `.uploadrc.json` from the working directory upwards. The search ends at the home directory or the
 * repository's root, both included: what lies beyond belongs to somebody else.
 */
async function findConfigFile({ cwd, home }: ConfigSearch): Promise<string | undefined> {
  const ends = home === undefined ? [] : [home, await realpath(home).catch(() => home)]
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const path = join(directory, fileName)
    if (await exists(path)) return path
    if (ends.includes(directory) || directory === dirname(directory) || (await exists(join(directory, '.git')))) {
      return undefined
    }
  }
}

/** Who may have written a file. */
export interface Ownership {
  readonly uid: number
  readonly mode: number
}

/** Why a file found by search cannot be trusted to be the user's own, or `undefined` where it can. */
export function trustProblem(owner: Ownership, link: Ownership, user: number | undefined): string | undefined {
  if (user === undefined) return undefined
  const trusted = [user, 0]
  if (!trusted.includes(owner.uid) || !trusted.includes(link.uid)) {
    return 'belongs to another user, so it is not used; name it with --config if you trust it'
  }
  if ((owner.mode & 0o002) !== 0) {
    return 'is writable by everybody, so it is not used; take that away (chmod o-w), or name it with --config'
  }
  return undefined
}

async function readJson(path: string, named: boolean, user: number | undefined, from: string): Promise<ConfigFile> {
  const refused = (what: string): ConfigFile => ({ path, named, faults: [fault(from, what)] })
  let text: string
  try {
    // A pipe is a fine config where it is named (`--config <(...)`), but would hang a run that merely came upon it.
    if (!named && !(await stat(path)).isFile()) return refused('is not a regular file')
    const handle = await open(path, 'r')
    try {
      const problem = trustProblem(await handle.stat(), await lstat(path), user)
      if (problem !== undefined) return refused(problem)
      text = await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    return refused(readProblem(error, path))
  }
  try {
    return { path, named, json: JSON.parse(text.replace(/^\ufeff/, '')), faults: [] }
  } catch {
    const { line, column, expected } = findJsonFault(text.replace(/^\ufeff/, ''))
    const where = `${path}:${line}:${column}`
    return {
      path,
      named,
      faults: [fault(where, `not valid JSON: expected ${expected} (no comments, no trailing commas)`)],
    }
  }
}

const readProblems: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied (check its mode)',
  EISDIR: 'is a directory, not a file',
}

function readProblem(error: unknown, path: string): string {
  const code = String((error as NodeJS.ErrnoException).code)
  return `${path}: ${readProblems[code] ?? `cannot be read (${code})`}`
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
