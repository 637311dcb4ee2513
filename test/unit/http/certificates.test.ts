import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as nodeTls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, it, vi } from 'vitest'
import { trustedCertificates } from '../../../src/http/certificates.ts'
import { tempDir } from '../../support/temp-dir.ts'

const certificate = readFileSync(fileURLToPath(new URL('../../contract/certificates/server.pem', import.meta.url)))

vi.mock('node:tls', { spy: true })

beforeEach(() => {
  vi.stubEnv('AWS_CA_BUNDLE', '')
  vi.stubEnv('NODE_EXTRA_CA_CERTS', '')
  vi.mocked(nodeTls.createSecureContext).mockClear()
  return () => vi.unstubAllEnvs()
})

let written = 0

/** A file with a certificate, and a text that no other has: what is known of one is kept for the process's life. */
async function bundle(): Promise<string> {
  written += 1
  const path = join(await tempDir(), 'bundle.pem')
  await writeFile(path, `# ${written}\n${certificate}`)
  return path
}

const made = () => vi.mocked(nodeTls.createSecureContext).mock.calls
const certificatesTrusted = () => made()[0]?.[0]?.ca?.length ?? 0

it('leaves trust to Node where nothing is said', () => {
  expect(trustedCertificates({ caBundle: undefined, verify: true })()).toEqual({})
  expect(trustedCertificates({ caBundle: undefined, verify: false })()).toEqual({ rejectUnauthorized: false })
})

it.each([
  ['a bundle', () => '', 1],
  ['a bundle and the certificates Node was given', bundle, 2],
  ['a bundle that Node was given, too, once', (own: string) => own, 1],
  ['a bundle and a file Node cannot read', () => '/nonexistent', 1],
])("adds %s to Node's own", async (_, extra, added) => {
  const caBundle = await bundle()
  vi.stubEnv('NODE_EXTRA_CA_CERTS', await extra(caBundle))
  expect(trustedCertificates({ caBundle, verify: true })()).toHaveProperty('secureContext')
  expect(certificatesTrusted()).toBe(nodeTls.rootCertificates.length + added)
})

it('takes the bundle of AWS_CA_BUNDLE', async () => {
  vi.stubEnv('AWS_CA_BUNDLE', await bundle())
  expect(trustedCertificates({ caBundle: undefined, verify: true })()).toHaveProperty('secureContext')
})

it('reads the certificates only when they are asked for, and once', async () => {
  const tls = { caBundle: await bundle(), verify: true }
  const trust = trustedCertificates(tls)
  expect(made()).toHaveLength(0)
  expect(trustedCertificates(tls)().secureContext).toBe(trust().secureContext)
  expect(made()).toHaveLength(1)
})
