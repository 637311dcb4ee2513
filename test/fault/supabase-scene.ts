import { readFile } from 'node:fs/promises'
import { expect, onTestFinished, vi } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import type { Settings } from '../../src/config/settings.ts'
import type {
  Call,
  Destination,
  MultipartUpload,
  MultipartUploads,
  ObjectToPut,
  Part,
} from '../../src/destinations/destination.ts'
import { openSupabaseDestination } from '../../src/destinations/supabase/index.ts'
import type { Patience } from '../../src/http/patience.ts'
import { aCall, bodyOf, someBytes } from '../contract/bodies.ts'
import { defaultSettings } from '../support/settings.ts'
import {
  type Fault,
  type SeenRequest,
  type SupabaseFake,
  type SupabaseFakeOptions,
  startSupabaseFake,
} from '../support/supabase-fake.ts'

export const partSize = 6 * 2 ** 20

/** Resumable uploads to a stand-in, called as the transfer calls them. */
export interface ResumableScene {
  readonly supabase: SupabaseFake
  readonly destination: Destination
  readonly uploads: MultipartUploads
  /** What the user was told of the destination. */
  readonly warnings: readonly string[]
  readonly bytes: Buffer
  readonly object: ObjectToPut
  /** Sends one part of the bytes. */
  part(upload: MultipartUpload, partNumber: number, call?: Partial<Call>): Promise<Part>
  /** What was sent by PATCH, a number of bytes each, in order. */
  patched(): readonly number[]
  asked(method: string): number
  stored(): Promise<Buffer | undefined>
}

/** Two parts and a short third. */
export const size = 2 * partSize + 100_000

export interface SceneOptions extends SupabaseFakeOptions {
  readonly settings?: Partial<Settings>
  readonly object?: Partial<ObjectToPut>
  readonly size?: number
  readonly patience?: Partial<Patience>
}

export async function resumableScene(options: SceneOptions = {}): Promise<ResumableScene> {
  const supabase = await startSupabaseFake({ lockDrainMs: 20, ...options })
  onTestFinished(() => supabase.close())
  supabase.makeBucket('audio', { wantsWholeParts: true })
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', supabase.key)
  onTestFinished(() => void vi.unstubAllEnvs())
  const settings = { ...defaultSettings, supabase: { url: supabase.url }, ...options.settings }
  const warnings: string[] = []
  const url = { url: 'supabase://audio/', bucket: 'audio' }
  const destination = await openSupabaseDestination(settings, url, (text) => warnings.push(text), options.patience)
  onTestFinished(() => destination.close())
  if (destination.multipart === undefined) throw new Error('it offers no parts')
  const bytes = someBytes(options.size ?? size)
  const object = { key: 'takes/a b.wav', contentType: 'audio/wav', partSize, size: bytes.length, ...options.object }
  const seen = (method: string): readonly SeenRequest[] =>
    supabase.requests.filter((request) => request.protocol === 'tus' && request.method === method)
  return {
    supabase,
    destination,
    uploads: destination.multipart,
    warnings,
    bytes,
    object,
    part(upload, partNumber, call = {}) {
      const range = bytes.subarray((partNumber - 1) * partSize, partNumber * partSize)
      return upload.uploadPart(partNumber, bodyOf(range), aCall(call))
    },
    patched: () => seen('PATCH').map((request) => request.bytes),
    asked: (method) => seen(method).length,
    async stored() {
      const found = supabase.objects.get(`audio/${object.key}`)
      return found && (await readFile(found.path))
    },
  }
}

/** The nth request of a kind gets a fault, the others none. */
export function nth(number: number, method: string, fault: Fault): (request: SeenRequest) => Fault | undefined {
  let count = 0
  return (request) => {
    if (request.protocol !== 'tus' || request.method !== method) return undefined
    count += 1
    return count === number ? fault : undefined
  }
}

export async function allParts(scene: ResumableScene, upload: MultipartUpload, from = 1): Promise<Part[]> {
  const parts: Part[] = []
  for (let partNumber = from; partNumber <= 3; partNumber += 1) parts.push(await scene.part(upload, partNumber))
  return parts
}

/** All parts as they have to be told of, with the checksum of the whole. */
export async function expectComplete(
  scene: ResumableScene,
  upload: MultipartUpload,
  parts: readonly Part[],
): Promise<void> {
  expect(parts.map((part) => part.size)).toEqual([partSize, partSize, size - 2 * partSize])
  const info = await upload.complete(parts, aCall())
  const checksum = { algorithm: 'crc32', value: checksummerOf('crc32').of(scene.bytes) }
  expect(info).toEqual({ key: scene.object.key, size, checksum })
  expect((await scene.stored())?.equals(scene.bytes)).toBe(true)
}
