/** As it is often written: one file after another, each whole in memory, a new connection each, one fixed timeout. */
import { readdirSync, readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { join, relative } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'

const [folder, endpoint, bucket, prefix] = process.argv.slice(2)
const client = new S3Client({
  endpoint,
  forcePathStyle: true,
  maxAttempts: 1,
  requestHandler: new NodeHttpHandler({
    httpAgent: new HttpAgent({ keepAlive: false }),
    httpsAgent: new HttpsAgent({ keepAlive: false }),
    requestTimeout: 30_000,
    throwOnRequestTimeout: true,
  }),
})
const took = []
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const path = join(entry.parentPath, entry.name)
  const begin = performance.now()
  const Body = readFileSync(path)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: prefix + relative(folder, path), Body }))
  took.push(performance.now() - begin)
}
took.sort((a, b) => a - b)
console.log(JSON.stringify({ p50Ms: took[Math.floor(took.length / 2)] }))
