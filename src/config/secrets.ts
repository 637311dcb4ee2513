import { holdsSecret } from './redact.ts'

/** Names under which secrets are kept, in lower case and without separators. */
const secretNames = new Set(
  [
    'access key, access key id, aws access key id, secret key, secret access key, aws secret access key',
    'session token, aws session token, security token, token, bearer, authorization, jwt',
    'password, passwd, passphrase, secret, client secret, credentials, private key',
    'api key, anon key, service key, service role key, supabase key, supabase service role key',
  ]
    .join(', ')
    .replaceAll(' ', '')
    .split(','),
)

/** A place in a config where a secret stands, or should not be looked for. */
export interface SecretPlace {
  /** `s3.secretAccessKey`, `routes[0].token`. */
  readonly path: string
  /** What to do instead. */
  readonly remedy: string
}

/** Every secret in a config, by the name of its key or the look of its value; never its value. */
export function findSecrets(value: unknown, path = ''): SecretPlace[] {
  if (typeof value === 'string') return holdsSecret(value) ? [{ path, remedy: remedyFor(path, value) }] : []
  if (Array.isArray(value)) return value.flatMap((item, at) => findSecrets(item, `${path}[${at}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = path === '' ? key : `${path}.${key}`
    const named = secretNames.has(key.toLowerCase().replace(/[^a-z]/g, ''))
    return named || holdsSecret(key) ? [{ path: place, remedy: remedyFor(place, '') }] : findSecrets(inner, place)
  })
}

function remedyFor(path: string, value: string): string {
  const supabase = /supabase|service_?-?role|anon/i.test(path) || /^eyJ|sb_secret_/.test(value)
  const url = /:\/\//.test(value)
  const where = url
    ? 'give the whole URL, or the secret by itself,'
    : supabase
      ? 'set SUPABASE_SERVICE_ROLE_KEY'
      : 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE,'
  return `a secret does not belong in a config file; take it out and ${where} in the environment`
}
