import { lstat, type Stats, stat } from 'node:fs'

/** How many paths are looked at on disk at once. */
export const lookedAtAtOnce = 64

/** Follows links. Cheaper than that of `fs/promises`, which counts where there are many files. */
export function statOf(path: string): Promise<Stats> {
  return new Promise((resolve, reject) => {
    stat(path, (error, stats) => (error ? reject(error) : resolve(stats)))
  })
}

/** What a path leads to; undefined where that is nothing, or nothing that can be looked at. */
export function look(path: string): Promise<Stats | undefined> {
  return statOf(path).catch(() => undefined)
}

/** Whether there is something of this name, if only a link that leads nowhere, or something that cannot be looked at. */
export function exists(path: string): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    lstat(path, (error) => resolve(error === null || !absent.has(String(error.code))))
  }).catch(() => true)
}

const absent = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL'])
