import { z } from 'zod'
import type { UsageError } from '../errors.ts'
import { templateFaults } from '../plan/keys/key-template.ts'
import { parseDestinationUrl } from './destination-url.ts'
import { parseDuration, showDuration } from './duration.ts'
import { parseSize, showSize } from './size.ts'
import { hostedProject } from './supabase-rules.ts'

/**
 * Schemas of single values. Each takes what a flag, a variable and a JSON file can hold, and says in its one message
 * what it expected, to follow `found "…", `. What a JSON Schema can say of them and their types do not is in `.meta()`:
 * `json-schema.ts` makes the schema for editors from them.
 */

const listOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/** Pipes what `input` lets through into `parse`, where `undefined` means it was not as expected. */
function read<In extends z.ZodType, Out>(input: In, expected: string, parse: (given: z.output<In>) => Out | undefined) {
  return input.transform((given, context): Out => {
    const value = parse(given)
    if (value !== undefined) return value
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
}

const booleans: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false }

/** An option that is on or off. */
export function onOff() {
  const expected = 'expected true or false (in the environment also 1 or 0)'
  return read(z.union([z.boolean(), z.string()], expected), expected, (given) =>
    typeof given === 'boolean' ? given : booleans[given.toLowerCase()],
  ).meta({ pattern: '^([01]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$' })
}

/** Text that is not empty. */
export function text(what: string) {
  const expected = `expected ${what}`
  return z.string(expected).min(1, expected)
}

/** Text of a certain form. */
export function textLike(form: RegExp, what: string) {
  const expected = `expected ${what}`
  return z.string(expected).regex(form, expected)
}

/** Exactly one of some words. */
export function oneOf<const Word extends string>(...words: readonly Word[]) {
  return z.enum(words, `expected ${listOf.format(words)}`)
}

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number, alternative = '') {
  const expected = `expected a whole number from ${min} to ${max}${alternative}`
  return read(z.union([z.number(), z.string()], expected), expected, (given) => {
    const value = typeof given === 'number' ? given : /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    return Number.isInteger(value) && value >= min && value <= max ? value : undefined
  }).meta({ minimum: min, maximum: max, multipleOf: 1, pattern: '^\\d{1,15}$' })
}

/** A whole number within bounds, or `auto`. */
export function wholeNumberOrAuto(min: number, max: number) {
  const number = wholeNumber(min, max, ', or auto')
  return z.union([z.literal('auto'), number], `expected a whole number from ${min} to ${max}, or auto`)
}

/** Bytes within bounds, both included: a number or `8MiB`. */
export function size(min: number, max: number) {
  const expected = `expected a size from ${showSize(min)} to ${showSize(max)}, such as 8MiB, 10MB or 10485760`
  return read(z.union([z.number(), z.string()], expected), expected, (given) => {
    const bytes = typeof given === 'number' ? given : parseSize(given)
    return bytes !== undefined && Number.isInteger(bytes) && bytes >= min && bytes <= max ? bytes : undefined
  }).meta({ minimum: min, maximum: max, multipleOf: 1, pattern: '^\\d+(\\.\\d+)? ?([KMGTkmgt]?[Ii]?[Bb])?$' })
}

/** Milliseconds up to a bound: `30s`. A bare number is refused, but for 0: nobody agrees on its unit. */
export function duration(maxMs: number, minMs = 0, alternative = '') {
  const range = minMs === 0 ? `up to ${showDuration(maxMs)}` : `from ${showDuration(minMs)} to ${showDuration(maxMs)}`
  const expected = `expected a duration ${range}, such as 500ms, 30s, 5m, 24h or 7d${alternative}`
  return read(z.union([z.string(), z.literal(0)], expected), expected, (given) => {
    const ms = parseDuration(String(given))
    return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined
  }).meta({ pattern: `^(${durationForm})$` })
}

const durationForm = '0|\\d+(\\.\\d+)?(ms|s|m|h|d)'

/** Milliseconds up to a bound, or `auto`. */
export function durationOrAuto(maxMs: number) {
  const alternative = ', or auto'
  const limited = duration(maxMs, 1, alternative)
  return z.union(
    [z.literal('auto'), limited],
    `expected a duration up to ${showDuration(maxMs)}, such as 30s or 5m, or auto`,
  )
}

/** Names and values of an object's own metadata: `name=value`, several of them, or an object of them in a config file. */
export function metadata() {
  return namedValues(metadataName, metadataValue, metadataForm).refine(
    (given) => new Set(Object.keys(given).map((name) => name.toLowerCase())).size === Object.keys(given).length,
    'expected names that differ in more than upper and lower case, which S3 does not tell apart',
  )
}

/**
 * An object's tags, as {@link metadata}: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 */
export function tags() {
  const most = 10
  return namedValues(tagName, tagValue, tagForm).refine(
    (given) => Object.keys(given).length <= most,
    `expected ${most} tags at most`,
  )
}

function namedValues(nameForm: RegExp, valueForm: RegExp, form: string) {
  const expected = 'expected NAME=VALUE, or in a config file also { "name": "value" }'
  return z
    .union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown())], expected)
    .transform((given, context): Readonly<Record<string, string>> => {
      const isNamed = typeof given === 'object' && !Array.isArray(given)
      const pairs = isNamed ? Object.entries(given) : [given].flat().map(pairOf)
      const fitting: [string, string][] = []
      for (const [at, [name, value]] of pairs.entries()) {
        if (nameForm.test(name) && typeof value === 'string' && valueForm.test(value)) {
          fitting.push([name, value])
        } else {
          const path = isNamed ? [name] : [at]
          context.issues.push({ code: 'custom', message: `expected ${form}`, input: given, path })
        }
      }
      return Object.fromEntries(fitting)
    })
    .meta({
      pattern: '=',
      items: { pattern: '=' },
      additionalProperties: { type: 'string', pattern: valueForm.source },
    })
}

/** As headers have them: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const metadataName = /^[\w.-]+$/
const metadataValue = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/
const metadataForm = 'NAME=VALUE: a name of letters, digits, ".", "_" and "-", a value in ASCII, no spaces around it'

const tagName = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
const tagForm =
  'NAME=VALUE: letters, digits, spaces and _ . : / = + - @; a name up to 128 characters, a value up to 256'

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? ['', ''] : [text.slice(0, at), text.slice(at + 1)]
}

/**
 * One value or several.
 *
 * @param form - What a JSON Schema says of each.
 */
export function many<Item extends z.ZodType<unknown, string>>(item: Item, expected: string, form = /./) {
  return z
    .union([z.string(), z.array(z.string())], `expected ${expected}, or a list of them`)
    .transform((given) => (typeof given === 'string' ? [given] : given))
    .pipe(z.array(item))
    .meta({ pattern: form.source, items: { pattern: form.source } })
}

/** File endings: `wav` or `.wav`, in any case; what comes of them is in lower case, with the dot. */
export function endings() {
  const form = /^\.?[^./\\\s]+$/
  const ending = z
    .string()
    .regex(form, 'expected a file ending such as .wav')
    .transform((given) => `.${given.replace(/^\./, '').toLowerCase()}`)
  return many(ending, 'a file ending such as .wav', form)
}

/** Media types, `audio/wav` or `audio/*`; what comes of them is in lower case. */
export function mediaTypes() {
  const form = /^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+))$/
  const expected = 'a media type such as audio/wav, or audio/*'
  const type = z
    .string()
    .regex(form, `expected ${expected}`)
    .transform((given) => given.toLowerCase())
  return many(type, expected, form)
}

/** A moment, or how long ago: `24h`, `2026-11-22`, `2026-11-22T06:00:00Z`; without a zone, local time. */
export function moment() {
  const expected = 'expected how long ago, such as 24h or 7d, or a date such as 2026-11-22 or 2026-11-22T06:00:00Z'
  return read(z.string(expected), expected, (given): Moment | undefined => {
    const agoMs = parseDuration(given)
    if (agoMs !== undefined) return { agoMs }
    if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(given)) return undefined
    // A date alone would be taken for one in UTC.
    const atMs = Date.parse(given.length === 10 ? `${given}T00:00` : given)
    return Number.isNaN(atMs) || !isDay(given.slice(0, 10)) ? undefined : { atMs }
  }).meta({ pattern: `^(${durationForm}|\\d{4}-\\d\\d-\\d\\d.*)$` })
}

/** Whether the calendar has such a day: to `Date` 31 February is in March. */
function isDay(date: string): boolean {
  return new Date(`${date}T00:00Z`).toISOString().startsWith(date)
}

/** A moment in time, in milliseconds since the epoch, or before the run's beginning. */
export type Moment = { readonly atMs: number } | { readonly agoMs: number }

/** A destination's URL, in its one form. */
export function destination() {
  return z
    .string('expected s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/')
    .transform((given, context): string => {
      try {
        return parseDestinationUrl(given).url
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as UsageError).message, input: given })
        return z.NEVER
      }
    })
    .meta({ pattern: '^(s3://[^/]|supabase://[^/]|file:.)' })
}

/** An `http://` or `https://` URL that is an address and nothing else. */
export function endpoint() {
  const expected = 'expected a URL such as https://s3.example.com, without a user, a password or a query'
  return read(z.string(expected), expected, (given) => (isAddress(given) ? given : undefined)).meta(address)
}

/**
 * The same of a Supabase project: its own address, not that of one of its services, such as the Dashboard shows too.
 * What Supabase itself runs is never spoken to in plain text: the key would be in it.
 */
export function project() {
  const expected =
    'expected a URL such as https://abcdefgh.supabase.co, without /storage/v1, a user, a password or a query'
  return read(z.string(expected), expected, (given) => {
    const isOne = isAddress(given) && !/\/(?:storage|rest|auth|functions)\/v1(?:\/|$)/.test(given)
    return isOne && !(/^http:/i.test(given) && hostedProject.test(new URL(given).hostname)) ? given : undefined
  }).meta(address)
}

const address = { pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^/@?#]+(/[^?#]*)?$' }

function isAddress(given: string): boolean {
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) return false
  const url = new URL(given)
  return url.username + url.password + url.search + url.hash === ''
}

/** What a JSON Schema, whose patterns know no flags, says of {@link reportFile}. */
export const reportForm = /[^/\\]\.([Jj][Ss][Oo][Nn][Ll]?|[Cc][Ss][Vv])$/

/** A report's file name, by whose ending its format goes. */
export function reportFile() {
  const expected = 'expected a file name that ends with .jsonl, .json or .csv'
  return z.string(expected).transform((given, context): string => {
    if (/[^/\\]\.(?:jsonl|json|csv)$/i.test(given)) return given
    const message = /\.html$/i.test(given) ? '.html reports are not yet available' : expected
    context.issues.push({ code: 'custom', message, input: given })
    return z.NEVER
  })
}

/** A `--key` template; each thing that is wrong with it is a fault of its own. */
export function keyTemplate() {
  return text('a template such as {dir}/{name}{ext}').superRefine((template, context) => {
    for (const message of templateFaults(template)) context.addIssue({ code: 'custom', message })
  })
}
