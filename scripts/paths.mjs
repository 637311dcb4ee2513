import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** A path in the repository as the file system wants it. */
export function inRepository(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** Whether the module of this URL is the script Node was started with. */
export function isMain(url) {
  return realpathSync(process.argv[1]) === fileURLToPath(url)
}
