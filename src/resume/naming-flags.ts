import type { OptionKey } from '../config/options/options.ts'
import type { LimitSettings } from '../config/settings.ts'
import type { ObjectProperties } from '../destinations/destination.ts'
import type { RunRecord } from '../observe/records.ts'

/** Options as a command line has them. */
export type Flags = Readonly<Partial<Record<OptionKey, unknown>>>

/** Which files a run is of, and under which keys they go: with others it would be another run. */
const namingOptions = [
  'base',
  'exclude',
  'excludeFrom',
  'flatten',
  'follow',
  'include',
  'key',
  'keyFix',
  'null',
  'preserve',
  'preset',
] as const satisfies readonly OptionKey[]
const namingLimits = [
  'allowExt',
  'allowType',
  'denyExt',
  'maxFiles',
  'maxSize',
  'maxTotalSize',
  'minSize',
] as const satisfies readonly (OptionKey & keyof LimitSettings)[]

/** As what they go. */
const namingTypes = ['contentType', 'ifExists'] as const satisfies readonly OptionKey[]
const namingProperties = [
  'cacheControl',
  'contentEncoding',
  'contentDisposition',
  'storageClass',
  'acl',
  'sse',
  'sseKmsKeyId',
] as const satisfies readonly (OptionKey & keyof ObjectProperties)[]

type Fields<Key extends string> = Readonly<Record<Key, unknown>>

/**
 * What a journaled run had of these from elsewhere than its command line: an environment that is another by now, say.
 * Rules and routes are in no command line: the run's config, and its preset, are read again, and where there were some,
 * what they say of all files must not become stronger than they are.
 */
export function namingFlags({ config }: RunRecord): Flags {
  const limits: Fields<keyof LimitSettings> = Object(config.limits)
  const values = [
    ...namingOptions.map((key) => [key, config[key]] as const),
    ...namingLimits.map((key) => [key, limits[key]] as const),
    ['config', config.isConfigNamed === true ? config.configFile : undefined] as const,
  ]
  return given(hasEntries(config.rules) || hasEntries(config.routes) ? values : [...values, ...kept(config)])
}

function kept(config: RunRecord['config']): (readonly [OptionKey, unknown])[] {
  const properties: Fields<keyof ObjectProperties> = Object(config.properties)
  return [
    ...namingTypes.map((key) => [key, config[key]] as const),
    ...namingProperties.map((key) => [key, properties[key]] as const),
    ['metadata', asTyped(properties.metadata)],
    ['tag', asTyped(properties.tags)],
  ]
}

/** What was said by how long ago a file was modified meant the time before the run, not before it is continued. */
export function momentFlags({ config, startedAt }: RunRecord): Flags {
  const moments = (['newerThan', 'olderThan'] as const).map((key) => {
    const { atMs, agoMs }: Fields<'atMs' | 'agoMs'> = Object(config[key])
    const ms = typeof agoMs === 'number' ? Date.parse(startedAt) - agoMs : atMs
    return [key, typeof ms === 'number' ? new Date(ms).toISOString() : undefined] as const
  })
  return given(moments)
}

function given(values: readonly (readonly [OptionKey, unknown])[]): Flags {
  const isGiven = (value: unknown): boolean =>
    value === true || ['string', 'number'].includes(typeof value) || hasEntries(value)
  return Object.fromEntries(values.filter(([, value]) => isGiven(value)))
}

function hasEntries(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

function asTyped(named: unknown): string[] {
  return Object.entries(Object(named)).map(([name, value]) => `${name}=${value}`)
}
