import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'

/**
 * The user's home directory; undefined for a user id that no list of users knows, as containers have them, and where
 * `HOME` is empty or relative: what is kept there must not end up wherever a run happens to be started.
 */
export function homeDirectory(): string | undefined {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : undefined
  } catch {
    return undefined
  }
}
