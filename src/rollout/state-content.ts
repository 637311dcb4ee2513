import { copyFile, readFile, stat } from 'node:fs/promises'
import { UploadError, UsageError } from '../errors.ts'
import type { RolloutState } from './state.ts'
import { parseState } from './state-schema.ts'

/**
 * What a state's file holds; undefined where there is none.
 *
 * @throws UploadError where it cannot be read.
 */
export async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    const found = await stat(path)
    // A pipe would be waited for until somebody writes into it, and a device would be replaced by a file.
    if (!found.isFile() && !found.isDirectory()) {
      const why = 'it is a pipe, a socket or a device; name a file as rollout.state'
      throw new UploadError('INTERNAL', `the state of the rollout, ${path}, cannot be read: ${why}`)
    }
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw cannot('read', path, error, 'see to it that it can be')
  }
}

/**
 * @param name whose state it has to be; undefined: anybody's
 * @throws UsageError where it is damaged, or another's, naming the file and the remedy.
 */
export function stateOf(content: Buffer, path: string, name: string | undefined): RolloutState {
  let state: RolloutState
  try {
    state = parseState(JSON.parse(content.toString('utf8')))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message
    throw new UsageError(
      `the state of the rollout cannot be used: ${path}: ${why}; begin anew with upload rollout reset, which keeps a copy`,
    )
  }
  if (name === undefined || state.name === name) return state
  throw new UsageError(
    `${path} is the state of the rollout ${state.name}, not of ${name}; name another file as rollout.state`,
  )
}

/**
 * Undefined where it is damaged: it is kept under another name.
 *
 * @throws UsageError where it is another's; the file system's error where it cannot be kept.
 */
export async function stateOrCopy(
  content: Buffer,
  file: string,
  name: string | undefined,
): Promise<RolloutState | undefined> {
  try {
    stateOf(content, file, undefined)
  } catch {
    await copyFile(file, `${file}.damaged`)
    return undefined
  }
  return stateOf(content, file, name)
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** A file system's error, as a run tells of it. */
export function cannot(what: 'kept' | 'read' | 'written', path: string, error: unknown, remedy: string): UploadError {
  if (error instanceof UploadError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left there' : (code ?? message)
  const mend = code === 'EISDIR' ? 'it is a directory; name a file as rollout.state' : remedy
  return new UploadError('INTERNAL', `the state of the rollout, ${path}, cannot be ${what} (${why}); ${mend}`, {
    cause: error,
  })
}
