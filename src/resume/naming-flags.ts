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
 * Rules and routes are in no command line: the run's config, and its preset, are read again. What one of them says of
 * some files is left to them, since said of all files it would be stronger than they are; what comes from an environment
 * is none of that, since rules and routes have no say in it.
 */
export function namingFlags({ config }: RunRecord): Flags {
  const limits: Fields<keyof LimitSettings> = Object(config.limits)
  return given([
    ...namingOptions.map((key) => [key, config[key]] as const),
    ...namingLimits.map((key) => [key, limits[key]] as const),
    ['config', config.isConfigNamed === true ? config.configFile : undefined],
    ...kept(config),
  ])
}

function kept(config: RunRecord['config']): (readonly [OptionKey, unknown])[] {
  const said = saidBy(config)
  const rules = entriesOf(config.rules).map(saidBy)
  const routes = entriesOf(config.routes).map((route) => saidBy({ ...config, ...route }))
  const ofAll = (name: keyof Said): unknown => {
    const isSame = (route: Said): boolean => JSON.stringify(route[name]) === JSON.stringify(said[name])
    return rules.every((rule) => rule[name] === undefined) && routes.every(isSame) ? said[name] : undefined
  }
  return [
    ...[...namingTypes, ...namingProperties].map((key) => [key, ofAll(key)] as const),
    ['metadata', asTyped(ofAll('metadata'))],
    ['tag', asTyped(ofAll('tags'))],
  ]
}

type Said = Fields<(typeof namingTypes)[number] | keyof ObjectProperties>

/** What a run, or an entry of its config, says of its files. A route is recorded with what it changes. */
function saidBy({ contentType, ifExists, properties }: Readonly<Record<string, unknown>>): Said {
  return { ...Object(properties), contentType, ifExists }
}

function entriesOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.map(Object) : []
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
