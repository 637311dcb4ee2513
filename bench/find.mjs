import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cleanEnvironment, places } from './places.mjs'

/** A program of the Python environment `--install` makes. */
export function inVenv(name) {
  return join(places.venv, 'bin', name)
}

/** Where a program is on the path, if it is. */
export function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** What a command says of itself. */
export function says([file, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: join(places.work, 'cwd'),
    env: cleanEnvironment(),
    encoding: 'utf8',
  })
  return { status, text: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` }
}

/**
 * The first of `candidates` that answers `args` with a version.
 *
 * @param pattern has the version as its group
 */
export function binary(candidates, args, pattern) {
  for (const path of candidates) {
    if (path === undefined || !existsSync(path)) continue
    const version = pattern.exec(says([path, ...args]).text)?.[1]
    if (version !== undefined) return { path, version }
  }
  return { reason: 'not installed' }
}
