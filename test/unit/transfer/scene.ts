import { stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { UploadError } from '../../../src/errors.ts'
import type { UploadEvent } from '../../../src/observe/events.ts'
import type { FileRecord, PartRecord, UploadStartedRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { Lane } from '../../../src/transfer/lane.ts'
import { type TransferOptions, transferFiles } from '../../../src/transfer/transfer.ts'
import type { StopCause } from '../../../src/transfer/trouble/stops.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import {
  createFakeDestination,
  type FakeDestination,
  type FakeDestinationOptions,
} from '../../support/fake-destination.ts'
import { tempDir } from '../../support/temp-dir.ts'

export const MiB = 2 ** 20

/** A file of so many bytes that takes no room on the disk. */
export async function sparseFile(size: number): Promise<PlannedFile> {
  const absolute = join(await tempDir(), 'source.bin')
  await writeFile(absolute, '')
  await truncate(absolute, size)
  return planned(1, { absolute, size, mtimeMs: (await stat(absolute)).mtimeMs })
}

export function planned(index: number, over: Partial<PlannedFile> = {}): PlannedFile {
  return {
    index,
    path: `take-${index}.wav`,
    absolute: '/nowhere',
    source: `take-${index}.wav`,
    key: `audio/take-${index}.wav`,
    size: 0,
    mtimeMs: 0,
    contentType: 'audio/wav',
    properties: {},
    lane: 0,
    ...over,
  }
}

/** So many files with keys of their own, all of them one file on the disk. */
export function* manyOf(file: PlannedFile, count: number): Generator<PlannedFile> {
  const { absolute, size, mtimeMs } = file
  for (let index = 1; index <= count; index += 1) yield planned(index, { absolute, size, mtimeMs })
}

export const retry = { retries: 2, retryDelayMs: 100, retryMaxDelayMs: 1000, retryMaxTimeMs: 600_000, retryFailed: 1 }

export const settings = {
  concurrency: 4,
  limitRate: undefined,
  timeouts: { requestMs: 'auto' as const, stallMs: 30_000 },
  partSize: 8 * MiB,
  multipartThreshold: 16 * MiB,
  partConcurrency: undefined,
  bufferSize: 64 * 1024,
  onChange: 'fail' as const,
  halt: { maxFailures: undefined, maxErrorRate: undefined },
  verify: false,
  properties: {},
  ifExists: 'overwrite' as const,
  retry,
}

/** Of the run, and of its one lane. */
export type SceneSettings = TransferOptions['settings'] & Lane['settings']

export interface FakeLane extends Omit<Lane, 'settings'> {
  readonly settings?: Partial<Lane['settings']>
}

export interface SceneOptions {
  readonly files: Iterable<PlannedFile> | AsyncIterable<PlannedFile>
  readonly destination?: FakeDestinationOptions
  /** A destination that there is already, in place of a new one. */
  readonly onto?: FakeDestination
  readonly settings?: Partial<SceneSettings>
  /** The ways that files take, where there are several. */
  readonly lanes?: readonly FakeLane[]
  /** The keys of all files; absent: objects are asked for one by one. */
  readonly scope?: Lane['scope']
  readonly limits?: TransferOptions['limits']
  readonly record?: TransferOptions['record']
  readonly earlier?: TransferOptions['earlier']
  readonly rollout?: TransferOptions['rollout']
  readonly emit?: TransferOptions['emit']
  readonly stdin?: () => Readable
  readonly clock?: FakeClock
}

export interface Scene {
  readonly destination: FakeDestination
  readonly clock: FakeClock
  readonly stop: AbortController
  readonly records: readonly FileRecord[]
  /** Lines of multipart uploads, in the order they were kept. */
  readonly lines: readonly (UploadStartedRecord | PartRecord)[]
  readonly events: readonly UploadEvent[]
  /** Ends with why the run, and its parts, were stopped. */
  readonly causes: Promise<readonly StopCause[]>
  /** Ends with the first of these. */
  readonly done: Promise<UploadError | undefined>
  readonly of: (status: FileRecord['status']) => readonly FileRecord[]
}

/** A run with fakes all around it, begun. */
export function transfer(options: SceneOptions): Scene {
  const destination = options.onto ?? createFakeDestination(options.destination)
  const clock = options.clock ?? createFakeClock()
  const stop = new AbortController()
  const records: FileRecord[] = []
  const lines: (UploadStartedRecord | PartRecord)[] = []
  const events: UploadEvent[] = []
  const all: SceneSettings = { ...settings, ...options.settings }
  const done = transferFiles({
    files: asyncOf(options.files),
    lanes: options.lanes?.map((lane) => ({ ...lane, settings: { ...all, ...lane.settings } })) ?? [
      { destination, settings: all, scope: options.scope },
    ],
    settings: all,
    limits: options.limits,
    stdin: options.stdin ?? (() => Readable.from([])),
    clock,
    signal: stop.signal,
    emit: options.emit ?? ((event) => void events.push(event)),
    record:
      options.record ??
      (async (record) => {
        if (record.type === 'file') records.push(record)
        else lines.push(record)
      }),
    earlier: options.earlier,
    rollout: options.rollout,
  })
  return {
    destination,
    clock,
    stop,
    records,
    lines,
    events,
    done: done.then(([cause]) => cause?.error),
    causes: done,
    of: (status) => records.filter((file) => file.status === status),
  }
}

async function* asyncOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items
}

export function failure(...args: ConstructorParameters<typeof UploadError>): UploadError {
  return new UploadError(...args)
}

/** Statuses by path, each file's all of them: more than one is one too many. */
export function fates(records: readonly FileRecord[]): Record<string, string> {
  const byPath = new Map<string, string>()
  for (const { path, status, error } of records) {
    const fate = status === 'failed' ? `failed ${error?.code}` : status
    byPath.set(path, byPath.has(path) ? `${byPath.get(path)} and ${fate}` : fate)
  }
  return Object.fromEntries(byPath)
}
