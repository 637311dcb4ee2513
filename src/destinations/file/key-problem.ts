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
