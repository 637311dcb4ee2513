import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { onTestFinished } from 'vitest'
import { parseCommandLine } from './command-line.ts'
import { type Journal, readJournal } from './journal.ts'
import { type RunningUpload, type RunOptions, type RunResult, runUpload, startUpload } from './run-upload.ts'
import { makeTempDir, type TempDir } from './temp-dir.ts'

type Options = Partial<RunOptions>

/** A working directory inside a home of its own, and the program run in it. */
export interface Workspace {
  /** Holds all the others; gone when the test ends. */
  readonly root: string
  readonly home: string
  readonly cwd: string
  readonly state: string
  /** Absolute path of something in the working directory. */
  readonly path: (...names: string[]) => string
  /** Writes a file, its directories too. Contents default to its own name, so that no two are alike. */
  readonly write: (name: string, contents?: string | Uint8Array) => Promise<string>
  /** Writes each of the files. */
  readonly writeAll: (...names: string[]) => Promise<void>
  readonly read: (name: string) => Promise<string>
  /** Every file below a directory, relative to it with `/`, sorted; none where the directory is missing. */
  readonly list: (name: string) => Promise<string[]>
  /** The same files with their text. */
  readonly tree: (name: string) => Promise<Record<string, string>>
  /** Runs `upload …` as written, environment assignments included. */
  readonly run: (line: string, options?: Options) => Promise<RunResult>
  readonly runArgs: (args: readonly string[], options?: Options) => Promise<RunResult>
  readonly start: (line: string, options?: Options) => RunningUpload
  /** Paths of the run journals written so far. */
  readonly journals: () => Promise<string[]>
  /** What the only journal holds; fails where there is none, or more than one. */
  readonly journal: () => Promise<Journal>
}

/** A workspace that is gone when the test ends. */
export async function workspace(): Promise<Workspace> {
  const made = await makeWorkspace()
  onTestFinished(made.remove)
  return made
}

/** A workspace that lives until `remove`: for what several tests share. */
export async function makeWorkspace(): Promise<Workspace & Pick<TempDir, 'remove'>> {
  const { path: root, remove } = await makeTempDir()
  const home = join(root, 'home')
  const cwd = join(home, 'work')
  const state = join(root, 'state')
  await mkdir(cwd, { recursive: true })
  await mkdir(state)
  await mkdir(join(root, 'tmp'))
  // mkdtemp makes it 0700: a test that runs the program as another user needs the way in.
  await chmod(root, 0o755)

  const write = async (name: string, contents: string | Uint8Array = name) => {
    const path = join(cwd, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contents)
    return path
  }
  const withDefaults = (options: Options = {}, env: Readonly<Record<string, string>> = {}): RunOptions => ({
    cwd,
    home,
    state,
    ...options,
    env: { ...options.env, ...env },
  })
  const journals = async () => {
    const runs = join(state, 'upload', 'runs')
    return (await listFiles(runs)).filter((name) => name.endsWith('.jsonl')).map((name) => join(runs, name))
  }
  return {
    remove,
    root,
    home,
    cwd,
    state,
    path: (...names) => join(cwd, ...names),
    write,
    writeAll: async (...names) => {
      for (const name of names) await write(name)
    },
    read: (name) => readFile(join(cwd, name), 'utf8'),
    list: (name) => listFiles(join(cwd, name)),
    tree: async (name) => {
      const names = await listFiles(join(cwd, name))
      const texts = await Promise.all(names.map((file) => readFile(join(cwd, name, file), 'utf8')))
      return Object.fromEntries(names.map((file, at) => [file, texts[at] ?? '']))
    },
    run: (line, options) => {
      const { env, args } = parseCommandLine(line)
      return runUpload(args, withDefaults(options, env))
    },
    runArgs: (args, options) => runUpload(args, withDefaults(options)),
    start: (line, options) => {
      const { env, args } = parseCommandLine(line)
      return startUpload(args, withDefaults(options, env))
    },
    journals,
    journal: async () => {
      const [only, ...others] = await journals()
      if (only === undefined || others.length > 0) throw new Error(`${others.length + (only ? 1 : 0)} journals, not 1`)
      return readJournal(only)
    },
  }
}

/** Every file below `dir`, relative to it with `/`, sorted by code unit; none where there is no such directory. */
export async function listFiles(dir: string): Promise<string[]> {
  const there = await stat(dir).catch(() => undefined)
  if (there === undefined) return []
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
