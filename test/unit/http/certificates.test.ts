import * as nodeTls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, it, vi } from 'vitest'
import { trustedCertificates } from '../../../src/http/certificates.ts'

const bundle = fileURLToPath(new URL('../../contract/certificates/server.pem', import.meta.url))

vi.mock('node:tls', { spy: true })

beforeEach(() => {
  vi.stubEnv('AWS_CA_BUNDLE', '')
  vi.stubEnv('NODE_EXTRA_CA_CERTS', '')
  vi.mocked(nodeTls.createSecureContext).mockClear()
  return () => vi.unstubAllEnvs()
})

const certificatesTrusted = () => vi.mocked(nodeTls.createSecureContext).mock.calls[0]?.[0]?.ca?.length ?? 0

it('leaves trust to Node where nothing is said', () => {
  expect(trustedCertificates({ caBundle: undefined, verify: true })).toEqual({})
  expect(trustedCertificates({ caBundle: undefined, verify: false })).toEqual({ rejectUnauthorized: false })
})

it.each([
  ['a bundle', bundle, '', 1],
  ['a bundle and the certificates Node was given', bundle, bundle, 2],
  ['a bundle and a file Node cannot read', bundle, '/nonexistent', 1],
])("adds %s to Node's own", (_, caBundle, extra, added) => {
  vi.stubEnv('NODE_EXTRA_CA_CERTS', extra)
  expect(trustedCertificates({ caBundle, verify: true })).toHaveProperty('secureContext')
  expect(certificatesTrusted()).toBe(nodeTls.rootCertificates.length + added)
})

it('takes the bundle of AWS_CA_BUNDLE', () => {
  vi.stubEnv('AWS_CA_BUNDLE', bundle)
  expect(trustedCertificates({ caBundle: undefined, verify: true })).toHaveProperty('secureContext')
})
