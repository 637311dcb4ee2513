import { randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  S3Client,
} from '@aws-sdk/client-s3'
import type { EngineName } from '../../src/destinations/destination.ts'
import type { Subject } from './destination-contract.ts'
import { openBucket, type Project, type Scheme } from './supabase-routes.ts'

/** What the reader's environment names; the keys for S3 only where the suite is to go by that, too. */
export type OwnProject = Omit<Project, 's3'> & { readonly s3: Project['s3'] | undefined }

/** A bucket in the reader's project that is made for the tests, and removed with everything in it. */
export interface OwnBucket {
  /** The bucket as a destination; it is emptied when that is closed. */
  open(scheme: Scheme, engine: EngineName): Promise<Subject>
  remove(): Promise<void>
}

/**
 * The project at `UPLOAD_TEST_SUPABASE_URL` with `UPLOAD_TEST_SUPABASE_KEY`, and its S3 endpoint where
 * `UPLOAD_TEST_SUPABASE_S3_ACCESS_KEY_ID` and `UPLOAD_TEST_SUPABASE_S3_SECRET_ACCESS_KEY` are there as well; undefined
 * where nothing is set.
 *
 * @throws Error where something is missing
 */
export function ownProject(env: NodeJS.ProcessEnv = process.env): OwnProject | undefined {
  const { UPLOAD_TEST_SUPABASE_URL: url, UPLOAD_TEST_SUPABASE_KEY: key } = env
  const accessKeyId = env.UPLOAD_TEST_SUPABASE_S3_ACCESS_KEY_ID
  const secretAccessKey = env.UPLOAD_TEST_SUPABASE_S3_SECRET_ACCESS_KEY
  if (!url && !key && !accessKeyId && !secretAccessKey) return undefined
  if (!url || !key) throw new Error('UPLOAD_TEST_SUPABASE_URL and UPLOAD_TEST_SUPABASE_KEY need each other.')
  if (!accessKeyId !== !secretAccessKey) {
    throw new Error(
      'UPLOAD_TEST_SUPABASE_S3_ACCESS_KEY_ID and UPLOAD_TEST_SUPABASE_S3_SECRET_ACCESS_KEY need each other.',
    )
  }
  const project = { url: url.replace(/\/+$/, ''), key }
  if (!accessKeyId || !secretAccessKey) return { ...project, s3: undefined }
  const endpointUrl = env.UPLOAD_TEST_SUPABASE_S3_ENDPOINT || `${project.url}/storage/v1/s3`
  const region = env.UPLOAD_TEST_SUPABASE_S3_REGION || 'us-east-1'
  return { ...project, s3: { endpointUrl, region, accessKeyId, secretAccessKey } }
}

/** Makes a bucket under a name nobody else has. */
export async function makeOwnBucket(project: OwnProject): Promise<OwnBucket> {
  const bucket = `upload-test-${randomBytes(6).toString('hex')}`
  const none = { endpointUrl: '', region: '', accessKeyId: '', secretAccessKey: '' }

  /** By Node's own client, with nothing of the program's in between. @returns undefined where there is no such thing */
  async function ask(method: string, route: string, input?: unknown): Promise<Response | undefined> {
    const answer = await fetch(`${project.url}/storage/v1/${route}`, {
      method,
      headers: {
        authorization: `Bearer ${project.key}`,
        apikey: project.key,
        ...(input === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    })
    if (answer.ok) return answer
    const words = await answer.text()
    if (answer.status === 404 || /"statusCode":\s*"404"/.test(words)) return undefined
    throw new Error(`${method} ${route}: ${answer.status} ${words}`)
  }

  async function keysBelow(folder: string): Promise<string[]> {
    const limit = 1000
    const found: string[] = []
    for (let offset = 0; ; offset += limit) {
      const sortBy = { column: 'name', order: 'asc' }
      const answer = await ask('POST', `object/list/${bucket}`, { prefix: folder, limit, offset, sortBy })
      const page = ((await answer?.json()) ?? []) as { readonly name: string; readonly id: string | null }[]
      for (const { name, id } of page) {
        const key = folder === '' ? name : `${folder}/${name}`
        found.push(...(id === null ? await keysBelow(key) : [key]))
      }
      if (page.length < limit) return found
    }
  }

  async function empty(): Promise<void> {
    const keys = await keysBelow('')
    for (let at = 0; at < keys.length; at += 100) {
      await ask('DELETE', `object/${bucket}`, { prefixes: keys.slice(at, at + 100) })
    }
  }

  const client = project.s3 && clientOf(project.s3)
  /** Those by S3: nobody can ask for resumable ones. */
  async function unfinished(): Promise<readonly MultipartUpload[]> {
    const answer = await client?.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return answer?.Uploads ?? []
  }

  const made = await ask('POST', 'bucket', { id: bucket, name: bucket, public: false })
  if (made === undefined) throw new Error(`${project.url} has no storage; check UPLOAD_TEST_SUPABASE_URL`)
  return {
    async open(scheme, engine) {
      const open = () => openBucket({ ...project, s3: project.s3 ?? none }, { scheme, engine, bucket })
      const destination = await open()
      return {
        destination,
        reopen: open,
        async read(key) {
          const path = key.split('/').map(encodeURIComponent).join('/')
          const answer = await ask('GET', `object/authenticated/${bucket}/${path}`)
          return answer && Buffer.from(await answer.arrayBuffer())
        },
        keys: async () => (await keysBelow('')).sort(),
        leftovers: async () => (await unfinished()).map(({ Key, UploadId }) => `${Key} ${UploadId}`),
        async close() {
          await destination.close()
          await empty()
          for (const { Key, UploadId } of await unfinished()) {
            await client?.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
          }
        },
      }
    },
    async remove() {
      await empty()
      await ask('DELETE', `bucket/${bucket}`)
      client?.destroy()
    },
  }
}

function clientOf({ endpointUrl: endpoint, region, accessKeyId, secretAccessKey }: Project['s3']): S3Client {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true })
}
