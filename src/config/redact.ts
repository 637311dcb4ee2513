import type { Condition, Route, Settings } from './settings.ts'

/**
 * Takes secrets out of text that is shown or written: users and passwords in URLs, query strings that sign or
 * authorise, access key ids, JSON web tokens, Supabase's secret keys.
 */

const hidden = '***'

const signs =
  /[?&](?:[^=&#\s]*(?:signature|credential|token|secret|password|apikey|api-key|access-?key)[^=&#\s]*|sig)=/i
const userInfos = [
  /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'<>]*@/gi,
  // A password with an unescaped `/`, `?` or `#` in it; a port followed by a path with an `@` is none.
  /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s:@"'<>]*:(?!\d*(?:[/?#\s]|$))[^\s"'<>]*@/gi,
]
const query = /\?[^\s#"'<>]*/g
const tokens = [
  // Access key ids: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g,
  /\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
  /\bsb_secret_[\w-]+/g,
]

/** `text` with every secret in it replaced by `***`. */
export function redactText(text: string): string {
  let result = text.replace(query, (found) => (signs.test(found) ? `?${hidden}` : found))
  for (const userInfo of userInfos) result = result.replace(userInfo, `$1${hidden}@`)
  for (const token of tokens) result = result.replace(token, hidden)
  return result
}

/** Whether {@link redactText} would change it. */
export function holdsSecret(text: string): boolean {
  return redactText(text) !== text
}

/** The command line without secrets, for the journal. */
export function redactArgv(argv: readonly string[]): string[] {
  return argv.map(redactText)
}

/**
 * The settings that are in effect, without secrets, for the journal. Of a rule or a route it has where it stands
 * (`name`), which files it is about (`when`) and what it changes; of a route always where it leads.
 */
export function effectiveConfig({ ignored: _, ...settings }: Settings): Record<string, unknown> {
  const rules = settings.rules.map((rule) => ({ ...rule, when: stated(rule.when) }))
  const routes = settings.routes.map((route) => inShort(route, settings))
  return Object.fromEntries(
    Object.entries({ ...settings, rules, routes }).map(([key, value]) => [key, redactDeep(value)]),
  )
}

function inShort(
  { name, when, skip, settings }: Route,
  { routes: _, ...run }: Omit<Settings, 'ignored'>,
): Record<string, unknown> {
  const place = { name, when: stated(when), skip }
  if (skip) return place
  const own = settings as unknown as Readonly<Record<string, unknown>>
  const changed = Object.entries(run).filter(([key, value]) => JSON.stringify(own[key]) !== JSON.stringify(value))
  const { to, engine, s3 } = settings
  return { ...place, to, engine, s3, ...Object.fromEntries(changed.map(([key]) => [key, own[key]])) }
}

/** What a condition says, without what it leaves open. */
function stated(when: Condition): Partial<Condition> {
  return Object.fromEntries(
    Object.entries(when).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  )
}

function redactDeep(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redactDeep)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactDeep(inner)]))
}
