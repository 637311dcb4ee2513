import type { Condition, Settings } from './settings.ts'

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
 * (`name`), which files it is about (`when`) and what it changes; of a route always where it leads, too. The same of what
 * a rollout's candidate changes (`rollout.candidates`): for the run itself, then for each route, null where that is left
 * alone.
 */
export function effectiveConfig(settings: Settings): Record<string, unknown> {
  const { ignored: _, warnings: __, ...run } = settings
  const rules = settings.rules.map((rule) => ({ ...rule, when: stated(rule.when) }))
  const routes = settings.routes.map(({ name, when, skip, settings: own }) => {
    const place = { name, when: stated(when), skip }
    return skip ? place : { ...place, ...changed(own, settings) }
  })
  const rollout = settings.rollout && {
    ...settings.rollout,
    candidates: [settings, ...settings.routes.map((route) => route.settings)].map((baseline, index) => {
      const candidate = settings.rollout?.candidates[index]
      return candidate === undefined ? null : changed(candidate, baseline)
    }),
  }
  return Object.fromEntries(
    Object.entries({ ...run, rules, routes, rollout }).map(([key, value]) => [key, redactDeep(value)]),
  )
}

/** What some settings have that others have not, and in any case where they lead. */
function changed(own: Settings, base: Settings): Record<string, unknown> {
  const { ignored: _, warnings: __, routes: ___, rollout: ____, ...comparable } = base
  const all = own as unknown as Readonly<Record<string, unknown>>
  const keys = Object.entries(comparable).filter(([key, value]) => JSON.stringify(all[key]) !== JSON.stringify(value))
  const { to, engine, s3 } = own
  return { to, engine, s3, ...Object.fromEntries(keys.map(([key]) => [key, all[key]])) }
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
