import { escapeNotation, inBytes } from '../../key-notation.ts'

/** Where files lie while they are written: in the destination itself, so that a rename can put them in place. */
export const temporaryName = '.upload-tmp'

// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
const reservedOnWindows = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?$/i
const refusedOnWindows = /[<>:"|?*\\]|[. ]$/

/** Why a directory cannot hold this key, or `undefined`. */
export function keyProblem(key: string, platform: NodeJS.Platform = process.platform): string | undefined {
  const segments = key.split('/')
  if (segments[0] === temporaryName)
    return `its key would begin with "${temporaryName}", which this program uses itself`
  for (const segment of segments) {
    const problem = segmentProblem(segment, platform)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** What follows the prefix, with what keeps a directory from holding it as its bytes; what is too long stays so. */
export function fixName(name: string, platform: NodeJS.Platform = process.platform): string {
  const segments = escapeNotation(name).split('/')
  const fixed = platform === 'win32' ? segments.map(fixForWindows) : segments
  if (fixed[0] === temporaryName) fixed[0] = firstInBytes(temporaryName)
  return fixed.join('/')
}

/** Marks that combine go with what they follow: behind the notation's letters they would make other characters of them. */
const marksOrRefused = /(?:[<>:"|?*\\]|[. ]$)\p{M}*/gu

function fixForWindows(segment: string): string {
  // They are no file names anywhere, and are mended as everywhere.
  if (segment === '.' || segment === '..') return segment
  const fixed = segment.replace(marksOrRefused, inBytes)
  return reservedOnWindows.test(fixed) ? firstInBytes(fixed) : fixed
}

function firstInBytes(segment: string): string {
  return inBytes(segment.slice(0, 1)) + segment.slice(1)
}

function segmentProblem(segment: string, platform: NodeJS.Platform): string | undefined {
  if (segment === '') return 'its key would have an empty segment'
  if (segment === '.' || segment === '..') return `its key would have a "${segment}" segment`
  if (segment.includes('\0')) return 'its key would hold a NUL character'
  const bytes = Buffer.byteLength(segment)
  if (bytes > 255) return `a segment of its key would have ${bytes} bytes; a file name holds at most 255`
  if (platform !== 'win32') return undefined
  if (reservedOnWindows.test(segment)) return `"${segment}" is a device's name on Windows`
  if (refusedOnWindows.test(segment)) return `Windows cannot hold a file named "${segment}"`
  return undefined
}
