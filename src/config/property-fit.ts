import { namesMtime } from '../destinations/mtime.ts'
import type { UnkeptProperties } from '../plan/unkept-properties.ts'
import { isSupabaseUrl } from './destination-url.ts'
import type { GivenEntry } from './file/config-entries.ts'
import { fault, type GivenValue } from './given.ts'
import { type OptionKey, type OptionValues, optionKeys } from './options/options.ts'
import { type Resolved, resolveOptions } from './resolve.ts'
import { isSupabaseS3 } from './supabase-rules.ts'

/** What is wrong with the properties that objects are to have, and which of them are passed over, a line each. */
interface PropertyFit {
  readonly faults: readonly string[]
  readonly ignored: readonly string[]
}

/** The same of what was chosen, without what is passed over. */
interface FittedProperties extends PropertyFit {
  readonly values: OptionValues
}

/** A destination, as far as it decides what objects can have. */
export interface Place {
  readonly to: string
  readonly endpointUrl: string | undefined
}

/** Which destination it is, and what was chosen beside. */
type Chosen = Pick<OptionValues, 'to' | 'endpointUrl' | 'metadata' | 'preserve' | 'sse' | 'sseKmsKeyId'>

/**
 * What only S3 keeps. Of the others a directory has no place for the rest either, which it says itself, and Supabase, by
 * its S3 endpoint too, keeps that.
 * https://supabase.com/docs/guides/storage/s3/compatibility
 */
const ofS3Alone: ReadonlySet<OptionKey> = new Set([
  'contentEncoding',
  'contentDisposition',
  'tag',
  'storageClass',
  'acl',
  'sse',
  'sseKmsKeyId',
] as const satisfies readonly OptionKey[])

/** Who may read an object, and how it is encrypted: to go without unnoticed would be a leak. */
export const guardingProperties = ['acl', 'sse', 'sseKmsKeyId'] as const satisfies readonly OptionKey[]
const guarding: ReadonlySet<OptionKey> = new Set(guardingProperties)

/**
 * Properties the destination cannot keep are faults where they were given for it, by a flag or by a variable; elsewhere
 * they are a general wish, and passed over, unless they guard what is sent.
 *
 * @param rankOf - How weak the layer is in which an option was given: 0 is the command line, 1 the environment.
 * @param others - Where else some files go: what these can have is a general wish.
 */
export function fitProperties(
  { chosen, values }: Pick<Resolved, 'chosen' | 'values'>,
  rankOf: (key: OptionKey) => number,
  others: readonly Place[] = [],
): FittedProperties {
  const faults: string[] = []
  const ignored: string[] = []
  const dropped: OptionKey[] = []
  const where = withoutPlace(values)
  const isKeptElsewhere = others.some((place) => withoutPlace(place) === undefined)
  const given = optionKeys.flatMap((key) => chosen.get(key) ?? [])
  for (const one of where === undefined ? [] : given.filter(({ key }) => ofS3Alone.has(key))) {
    const isMeant = !isKeptElsewhere && rankOf(one.key) <= Math.max(1, rankOf('to'))
    if (isMeant) faults.push(fault(one.from, `has no effect for ${where}; leave it out`))
    else sort(one, where as string, { faults, ignored })
    dropped.push(one.key)
  }
  const keyId = chosen.get('sseKmsKeyId')
  if (where === undefined && keyId !== undefined && values.sseKmsKeyId !== undefined && !usesKms(values.sse)) {
    const isOutvoted = values.sse !== undefined && rankOf('sse') < rankOf('sseKmsKeyId')
    if (isOutvoted) ignored.push(`${keyId.from} is ignored: --sse is ${values.sse}`)
    else if (values.sse !== undefined || !chosen.has('sse')) faults.push(withoutKms(keyId))
    dropped.push('sseKmsKeyId')
  }
  const metadata = chosen.get('metadata')
  if (metadata !== undefined && isMtimeTwice(values, values)) faults.push(twiceMtime(metadata))
  const none = Object.fromEntries(dropped.map((key) => [key, undefined]))
  return { values: { ...values, ...none }, faults, ignored }
}

/**
 * The same for `rules`, which are about the files of all destinations.
 *
 * @param places - What was chosen for the run, then for each route.
 */
export function fitRules(rules: readonly GivenEntry[], places: readonly Chosen[]): PropertyFit {
  const faults: string[] = []
  const ignored: string[] = []
  for (const { given } of rules) {
    const { values } = resolveOptions(given)
    for (const one of given) {
      for (const place of places) {
        const where = withoutPlace(place)
        if (where !== undefined && ofS3Alone.has(one.key)) sort(one, where, { faults, ignored })
        else if (one.key === 'sseKmsKeyId' && !usesKms(values.sse ?? place.sse)) faults.push(withoutKms(one))
        else if (one.key === 'metadata' && isMtimeTwice(values, place)) faults.push(twiceMtime(one))
      }
    }
  }
  return { faults: [...new Set(faults)], ignored: [...new Set(ignored)] }
}

/** What objects of a destination cannot have of what a manifest says of files; undefined where they can have all. */
export function unkeptAt(place: Pick<Chosen, 'to' | 'endpointUrl'>): UnkeptProperties | undefined {
  const where = withoutPlace(place)
  if (where === undefined) return undefined
  const supabase = ['contentEncoding', 'contentDisposition', 'tags', 'storageClass'] as const
  const isDirectory = where === 'file: destinations'
  return { where, names: new Set(isDirectory ? [...supabase, 'cacheControl', 'metadata'] : supabase) }
}

function sort(
  { key, from }: GivenValue,
  where: string,
  into: { readonly faults: string[]; readonly ignored: string[] },
) {
  if (!guarding.has(key)) into.ignored.push(`${from} is ignored: it has no effect for ${where}`)
  else
    into.faults.push(
      fault(
        from,
        `has no effect for ${where}, where files would go without it; leave it out, or give it in other routes alone`,
      ),
    )
}

/** What messages call a destination that has no place for all of the properties; undefined for S3. */
function withoutPlace({ to, endpointUrl }: Pick<Chosen, 'to' | 'endpointUrl'>): string | undefined {
  if (to?.startsWith('file:')) return 'file: destinations'
  if (to !== undefined && isSupabaseUrl(to)) return 'supabase:// destinations'
  return endpointUrl !== undefined && isSupabaseS3(endpointUrl) ? "Supabase's S3 endpoint" : undefined
}

function usesKms(sse: string | undefined): boolean {
  return sse?.startsWith('aws:kms') === true
}

function withoutKms({ from }: GivenValue): string {
  return fault(from, 'a key of KMS is used by sse aws:kms or aws:kms:dsse alone; give one of them too, or leave it out')
}

function isMtimeTwice({ metadata }: Pick<Chosen, 'metadata'>, { preserve }: Pick<Chosen, 'preserve'>): boolean {
  return preserve === 'mtime' && namesMtime(metadata)
}

/** Metadata of this name would be given twice, and one of them lost. */
export function twiceMtime({ from }: Pick<GivenValue, 'from'>): string {
  return fault(from, 'mtime is what --preserve mtime keeps there; leave one of the two out')
}
