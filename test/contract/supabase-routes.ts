import { readFile } from 'node:fs/promises'
import { vi } from 'vitest'
import type { S3Settings } from '../../src/config/settings.ts'
import type { Destination, EngineName } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { openSupabaseDestination } from '../../src/destinations/supabase/index.ts'
import { defaultSettings } from '../support/settings.ts'
import { type Fault, type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import type { Subject, Traits } from './destination-contract.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'
import { ask } from './supabase-stand-in.ts'

/** A project and who may do everything there. */
export interface Project {
  readonly url: string
  readonly key: string
  readonly s3: {
    readonly endpointUrl: string
    readonly region: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
  }
}

/** How a bucket is named: as Supabase's own, or by its S3 endpoint. */
export type Scheme = 'supabase' | 's3'

/** What Supabase does otherwise than S3 and a directory, by either way. */
export const traitsOf: Readonly<Record<Scheme, Traits>> = {
  supabase: { partSize: 6 * 2 ** 20, partsInOrder: true, hidesUnfinished: true },
  s3: { ignoresIfAbsent: true, hidesPartSizes: true },
}

/** Opens a bucket with the project's keys in the environment, where the program takes them from, and nothing else. */
export async function openBucket(
  { url, key, s3 }: Project,
  { scheme, engine, bucket }: { readonly scheme: Scheme; readonly engine: EngineName; readonly bucket: string },
  pathStyle: S3Settings['pathStyle'] = 'auto',
): Promise<Destination> {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  vi.stubEnv('SUPABASE_KEY', undefined)
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', key)
  vi.stubEnv('AWS_ACCESS_KEY_ID', s3.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3.secretAccessKey)
  if (scheme === 'supabase') {
    const settings = { ...defaultSettings, supabase: { url }, engine }
    return openSupabaseDestination(settings, { url: `supabase://${bucket}/`, bucket })
  }
  const settings = { ...s3Settings(s3.endpointUrl, { region: s3.region, pathStyle }), engine }
  return openS3Destination(settings, { url: `s3://${bucket}/`, bucket })
}

/**
 * A stand-in with one bucket, and that bucket as a destination.
 *
 * @param isOld whether the server is of the time before it could list all keys of a bucket in one go
 */
export async function openAtStandIn(scheme: Scheme, engine: EngineName, isOld = false): Promise<Subject> {
  const supabase = await startSupabaseFake({ lockDrainMs: 20 })
  supabase.makeBucket('audio', { wantsWholeParts: true })
  if (isOld) supabase.intercept = ({ path }) => (path.includes('/object/list-v2/') ? unknownRoute(path) : undefined)
  const open = () => openBucket(supabase, { scheme, engine, bucket: 'audio' })
  const destination = await open()
  return {
    destination,
    reopen: open,
    async read(key) {
      const object = supabase.objects.get(`audio/${key}`)
      return object && readFile(object.path)
    },
    keys: async () => [...supabase.objects.values()].map(({ key }) => key).sort(),
    leftovers: () => unfinishedAt(supabase),
    received: () => supabase.requests.reduce((sum, { protocol, bytes }) => (protocol === 'tus' ? sum + bytes : sum), 0),
    async close() {
      await destination.close()
      await supabase.close()
    },
  }
}

function unknownRoute(path: string): Fault {
  const body = JSON.stringify({ message: `Route POST:${path} not found`, error: 'Not Found', statusCode: 404 })
  return { status: 404, headers: { 'content-type': 'application/json' }, body }
}

/** Uploads in parts, by both protocols, that the server would go on with. */
async function unfinishedAt(supabase: SupabaseFake): Promise<string[]> {
  const found = [...supabase.s3.uploads.keys()]
  for (const { url, isFinished } of supabase.uploads) {
    if (isFinished) continue
    const { status } = await ask(supabase, 'HEAD', url, { 'tus-resumable': '1.0.0' })
    if (status === 200) found.push(url)
  }
  return found
}
