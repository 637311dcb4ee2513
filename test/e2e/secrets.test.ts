import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { command } from '../support/command.ts'
import { fakeCredentials, s3Environment, s3Fake } from '../support/s3-environment.ts'
import { listFiles, type Workspace } from '../support/workspace.ts'

const sessionToken = 'FwoGZXIvYXdzEBYaDSessionTokenNobodyMaySee//////////0123456789'
const passwords = ['pass-in-endpoint', 'pass-in-proxy']
const secrets = [fakeCredentials.secretAccessKey, sessionToken, ...passwords, 'X-Amz-Signature', 'Signature=']

/** Nothing secret may be in what was printed or in any file the run left behind. */
async function expectNoSecrets(ws: Workspace, ...outputs: string[]): Promise<void> {
  const files = await listFiles(ws.root)
  expect(files.some((file) => file.endsWith('.jsonl'))).toBe(true)
  const texts = await Promise.all(files.map((file) => readFile(join(ws.root, file), 'utf8')))
  for (const secret of secrets) {
    for (const output of outputs) expect(output).not.toContain(secret)
    for (const [at, text] of texts.entries()) expect(text.includes(secret), `${secret} in ${files[at]}`).toBe(false)
  }
}

const reports = '--report r.jsonl --report r.json --report r.csv'

describe('no secret is shown or kept', () => {
  command(
    `upload in --to s3://bucket/ -v --json ${reports}`,
    async ({ ws, run }) => {
      const s3 = await s3Fake({ credentials: { ...fakeCredentials, sessionToken } })
      await ws.writeAll('in/a.txt', 'in/b.txt')
      const result = await run({ env: { ...s3Environment(s3), AWS_SESSION_TOKEN: sessionToken } })
      expect(result.code, result.stderr).toBe(0)
      await expectNoSecrets(ws, result.stdout, result.stderr)
    },
    'all goes well',
  )

  command(
    `upload in --to s3://bucket/ -v --json ${reports}`,
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      s3.script = (request) => ({
        status: 403,
        // Servers quote what was sent to them.
        body: `<Error><Code>SignatureDoesNotMatch</Code><Message>wrong ${request.headers.authorization ?? ''}</Message></Error>`,
      })
      await ws.writeAll('in/a.txt', 'in/b.txt')
      const result = await run({ env: { ...s3Environment(s3), AWS_SESSION_TOKEN: sessionToken } })
      expect(result.code, result.stderr).toBe(3)
      await expectNoSecrets(ws, result.stdout, result.stderr)
    },
    'the server quotes the request',
  )

  command(
    `upload in --to s3://bucket/ -v ${reports}`,
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('in/a.txt')
      const endpoint = s3.url.replace('//', `//user:${passwords[0]}@`)
      const result = await run({
        env: { ...s3Environment(s3), AWS_ENDPOINT_URL: endpoint, HTTP_PROXY: undefined },
      })
      await ws.run(`upload in --to s3://bucket/ --endpoint-url ${endpoint} --report r2.jsonl`, {
        env: s3Environment(s3),
      })
      const again = await ws.run('upload in --to file:./out --report r3.jsonl', {
        env: { HTTPS_PROXY: `http://me:${passwords[1]}@127.0.0.1:1` },
      })
      expect(again.code, again.stderr).toBe(0)
      await expectNoSecrets(ws, result.stdout, result.stderr, again.stderr)
    },
    'passwords in URLs',
  )
})
