import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** A path in the repository as the file system wants it. */
export function inRepository(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}
