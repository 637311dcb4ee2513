import { realpath, stat } from 'node:fs/promises'

/** A directory on the way down to where a walk is. */
export interface Ancestor {
  readonly at: { readonly path: string; readonly absolute: string }
  /** What tells it from all others, asked for once it matters; undefined where that cannot be found out. */
  identity?: Promise<string | undefined>
}

/** Directories that are entered by way of symbolic links (`--follow`), and the loops such links make. */
export interface FollowedLinks {
  /**
   * Whether a directory is one of those it was reached through, so that entering it would never end. Each loop is
   * reported once, however often it is come upon.
   */
  isLoop(ancestors: readonly Ancestor[], directory: Ancestor, name: string): Promise<boolean>
}

export function createFollowedLinks(warn: (message: string) => void): FollowedLinks {
  const reported = new Set<string>()
  return {
    async isLoop(ancestors, directory, name) {
      const identity = await identityOf(directory)
      // What cannot be looked at cannot be opened either, and fails there.
      if (identity === undefined) return false
      const identities = await Promise.all(ancestors.map(identityOf))
      const again = ancestors[identities.indexOf(identity)]
      if (again === undefined) return false
      // One link may be reached by several ways; what it lies in is the same.
      const place = `${identities.at(-1)}/${name}`
      if (!reported.has(place)) {
        reported.add(place)
        warn(
          `${directory.at.path} is a loop: it leads back to ${again.at.path.replace(/(?<=.)\/$/, '') || '.'}; not entered`,
        )
      }
      return true
    },
  }
}

function identityOf(directory: Ancestor): Promise<string | undefined> {
  directory.identity ??= identify(directory.at.absolute).catch(() => undefined)
  return directory.identity
}

/** Device and inode; on file systems that have no inodes the real path. */
async function identify(absolute: string): Promise<string> {
  // As bigint: on some systems the numbers are larger than what others hold exactly.
  const { dev, ino } = await stat(absolute, { bigint: true })
  return ino === 0n ? realpath(absolute) : `${dev}:${ino}`
}
