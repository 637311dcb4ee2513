/** Ten lines with the SDK's own uploader, 50 files at a time (as many sockets as the SDK opens). */
import { createReadStream, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import pLimit from 'p-limit'

const [folder, endpoint, Bucket, prefix, concurrency] = process.argv.slice(2)
const client = new S3Client({
  endpoint,
  forcePathStyle: true,
  requestHandler: { httpsAgent: { maxSockets: Number(concurrency) }, httpAgent: { maxSockets: Number(concurrency) } },
})
const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
const paths = entries.map((entry) => join(entry.parentPath, entry.name))
const limit = pLimit(Number(concurrency))
const upload = (path) =>
  new Upload({ client, params: { Bucket, Key: prefix + relative(folder, path), Body: createReadStream(path) } }).done()
await Promise.all(paths.map((path) => limit(upload, path)))
