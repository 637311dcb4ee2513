import { existsSync, readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { TlsSettings } from '../config/settings.ts'
import { UsageError } from '../errors.ts'

/** What the agents are told of trust: nothing, for Node's defaults. */
export interface Trust {
  readonly secureContext?: SecureContext
  readonly rejectUnauthorized?: false
}

/**
 * The certificates to trust: Node's own, those of `NODE_EXTRA_CA_CERTS`, and a bundle given by the settings or
 * `AWS_CA_BUNDLE`.
 *
 * @returns what to tell agents, made when it is first asked for: to read some hundred certificates takes longer than
 * many a run, and most custom endpoints have no TLS
 * @throws UsageError where a bundle cannot be read or holds no certificate.
 */
export function trustedCertificates(tls: TlsSettings): () => Trust {
  const verification = tls.verify ? {} : { rejectUnauthorized: false as const }
  const bundle = tls.caBundle ?? (process.env.AWS_CA_BUNDLE || undefined)
  if (bundle === undefined) return () => verification
  const text = readBundle(bundle)
  return () => ({ ...verification, secureContext: contextWith(text) })
}

const contexts = new Map<string, SecureContext>()

/** One context for all connections: parsing the certificates takes longer than a handshake. */
function contextWith(bundle: string): SecureContext {
  // A list of one's own replaces all that Node would have trusted, its environment variable's certificates included.
  const own = new Set([...extraCertificates(), bundle])
  const name = [...own].join()
  const known = contexts.get(name)
  if (known !== undefined) return known
  const context = createSecureContext({ ca: [...rootCertificates, ...own] })
  contexts.set(name, context)
  return context
}

/** Node passes over a file it cannot read, with a warning of its own. */
function extraCertificates(): string[] {
  const path = process.env.NODE_EXTRA_CA_CERTS
  return path && existsSync(path) ? [readFileSync(path, 'utf8')] : []
}

function readBundle(path: string): string {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(
      `the CA bundle ${JSON.stringify(path)} cannot be read (${code}); check --ca-bundle or AWS_CA_BUNDLE`,
    )
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  throw new UsageError(`the CA bundle ${JSON.stringify(path)} holds no certificate; a PEM file is expected`)
}
