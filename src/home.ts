import { homedir } from 'node:os'

/** The user's home directory; undefined for a user id that no list of users knows, as containers have them. */
export function homeDirectory(): string | undefined {
  try {
    return homedir()
  } catch {
    return undefined
  }
}
