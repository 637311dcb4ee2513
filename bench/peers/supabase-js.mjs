/** Ten lines with Supabase's own libraries and Node's `fetch`, 50 files at a time: what its guide shows. */
import { createReadStream, openAsBlob, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createClient } from '@supabase/supabase-js'
import pLimit from 'p-limit'
import { Upload } from 'tus-js-client'

const [folder, url, bucketName, prefix, concurrency] = process.argv.slice(2)
const key = process.env.SUPABASE_SERVICE_ROLE_KEY
// Node 20 has no WebSocket, and the client wants one.
const bucket = createClient(url, key, { realtime: { transport: class {} } }).storage.from(bucketName)
const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
const limit = pLimit(Number(concurrency))

async function upload(path) {
  const objectName = prefix + relative(folder, path)
  const { size } = await openAsBlob(path)
  if (size > 6 * 2 ** 20) return resumable(path, objectName, size)
  const { error } = await bucket.upload(objectName, createReadStream(path), { upsert: true, duplex: 'half' })
  if (error) throw error
}

function resumable(path, objectName, uploadSize) {
  return new Promise((onSuccess, onError) => {
    const headers = { authorization: `Bearer ${key}`, 'x-upsert': 'true' }
    const endpoint = `${url}/storage/v1/upload/resumable`
    const options = { endpoint, headers, uploadSize, chunkSize: 6 * 2 ** 20, metadata: { bucketName, objectName } }
    new Upload(createReadStream(path), { ...options, onSuccess, onError }).start()
  })
}

await Promise.all(entries.map((entry) => limit(upload, join(entry.parentPath, entry.name))))
