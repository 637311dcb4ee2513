/**
 * What an object key may look like, whatever the destination. A destination adds its own rule (`DestinationLimits.keyProblem`).
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

const remedy = 'give another one, or --key-fix to have such keys changed'

/** Unicode NFC: the same name for a file wherever it was made. */
export function normalizeName(name: string): string {
  return name.normalize('NFC')
}

/**
 * Why `key` cannot be an object key, or `undefined` where it can. `.` and `..` segments are refused rather than
 * resolved: servers and gateways disagree on what they mean.
 */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'its key would be empty; give another one'
  if (key.startsWith('/')) return `its key would begin with "/"; ${remedy}`
  if (controlCharacter.test(key))
    return 'its key would hold a control character; give --key-fix to have such keys changed, or rename the file'
  if (!key.isWellFormed()) return 'its name is not valid Unicode; rename the file, or give a name with --key'
  for (const segment of key.split('/')) {
    if (segment === '') return `its key would have an empty segment ("//" or a "/" at the end); ${remedy}`
    if (segment === '.' || segment === '..') return `its key would have a "${segment}" segment; ${remedy}`
  }
  return undefined
}

/** The part of a name before its last `/`, or `''`. */
export function directoryOf(name: string): string {
  const slash = name.lastIndexOf('/')
  return slash === -1 ? '' : name.slice(0, slash)
}

/** The part of a name after its last `/`. */
export function baseNameOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
