import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Problem, unauthorized } from './supabase-fake-problems.ts'

export type Role = 'service_role' | 'anon'

/** The keys of a project, and what the server says of a token. Signed for real, with a secret of this process. */
export function createTokens() {
  const secret = randomBytes(32)
  const sign = (content: string) => createHmac('sha256', secret).update(content).digest('base64url')
  const token = (role: Role, exp: number) => {
    const content = [
      { alg: 'HS256', typ: 'JWT' },
      { iss: 'supabase', role, iat: 1_700_000_000, exp },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${content}.${sign(content)}`
  }
  let allExpired = false

  return {
    key: token('service_role', 4_000_000_000),
    anonKey: token('anon', 4_000_000_000),
    expiredKey: token('service_role', 1_700_000_001),
    /** Whether all tokens count as expired. */
    setExpired(isExpired: boolean) {
      allExpired = isExpired
    },
    /** The role of who sends this header, or why there is none. */
    roleOf(authorization: string): Role | Problem {
      const parts = authorization.replace(/^Bearer +/i, '').split('.')
      const [head = '', claims = '', signature = ''] = parts
      if (parts.length !== 3) return unauthorized('Invalid Compact JWS')
      const expected = Buffer.from(sign(`${head}.${claims}`))
      const given = Buffer.from(signature)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        return unauthorized('signature verification failed')
      }
      const { role, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { role: Role; exp: number }
      return allExpired || exp < Date.now() / 1000 ? unauthorized('"exp" claim timestamp check failed') : role
    },
  }
}
