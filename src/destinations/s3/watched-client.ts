import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandOutput,
} from '@aws-sdk/client-s3'
import { UploadError } from '../../errors.ts'
import { isTimeError } from '../../http/time-errors.ts'
import type { RequestTimeouts } from '../destination.ts'
import { strangeAnswer } from './strange-answer.ts'

/** How long what has to be tidied up may take once an upload has failed, in milliseconds. */
const tidyLimitMs = 3000

interface Watch {
  /** Bytes the object is to have. */
  readonly size: number
  /** Cuts the requests. */
  readonly signal: AbortSignal
  /** How long each request with bytes of the object may take; undefined: as long as bytes flow. */
  readonly timeouts?: RequestTimeouts | undefined
  /** Told of each request's failure. */
  readonly onFailure: (error: unknown) => void
}

type Send = (command: unknown, options?: unknown) => Promise<unknown>

/**
 * A view of `client` for one lib-storage `Upload`, which has gaps this fills: it does not cut requests when it is
 * stopped, sends all other parts after one has failed for good, does not notice a body that ended early, and does not
 * name parts by their CRC-64/NVME, on which some servers insist.
 */
export function watchClient(client: S3Client, watch: Watch): S3Client {
  const send = client.send.bind(client) as Send
  let sent = 0
  const crc64s = new Map<number | undefined, string>()

  async function watched(command: unknown): Promise<unknown> {
    if (command instanceof AbortMultipartUploadCommand) return forget(command)
    try {
      sent += bodyLength(command)
      const ends = command instanceof PutObjectCommand || command instanceof CompleteMultipartUploadCommand
      if (ends && sent !== watch.size) {
        throw new UploadError('SOURCE_CHANGED', `it was ${watch.size} bytes and is ${sent} now`)
      }
      if (command instanceof CompleteMultipartUploadCommand && crc64s.size > 0) name(command)
      const answer = command instanceof CreateMultipartUploadCommand ? await create(command) : await timed(command)
      refuseStrangeAnswer(command, answer)
      if (command instanceof UploadPartCommand) remember(command, answer as UploadPartCommandOutput)
      return answer
    } catch (error) {
      watch.onFailure(error)
      throw error
    }
  }

  function remember({ input }: UploadPartCommand, { ChecksumCRC64NVME }: UploadPartCommandOutput): void {
    if (ChecksumCRC64NVME) crc64s.set(input.PartNumber, ChecksumCRC64NVME)
  }

  function name({ input }: CompleteMultipartUploadCommand): void {
    for (const part of input.MultipartUpload?.Parts ?? []) part.ChecksumCRC64NVME = crc64s.get(part.PartNumber)
  }

  async function timed(command: unknown): Promise<unknown> {
    const { signal, timeouts } = watch
    const hasBody = command instanceof PutObjectCommand || command instanceof UploadPartCommand
    if (timeouts === undefined || !hasBody) return send(command, { abortSignal: signal })
    const size = bodyLength(command)
    const beganMs = performance.now()
    try {
      const answer = await send(command, { abortSignal: signal, requestTimeout: timeouts.limitMs(size) })
      timeouts.succeeded(size, performance.now() - beganMs)
      return answer
    } catch (error) {
      // Nobody knows how far it had come: a line that is slower than it was would otherwise never be caught up with.
      if (error instanceof Error && isTimeError(error)) timeouts.overdue(size, performance.now() - beganMs)
      throw error
    }
  }

  /** Cut late: an upload whose id never arrived could not be aborted, and its owner would pay for it. */
  async function create(command: CreateMultipartUploadCommand): Promise<unknown> {
    const cut = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const later = () => {
      timer = setTimeout(() => cut.abort(), tidyLimitMs)
    }
    if (watch.signal.aborted) later()
    watch.signal.addEventListener('abort', later, { once: true })
    try {
      return await send(command, { abortSignal: cut.signal })
    } finally {
      clearTimeout(timer)
      watch.signal.removeEventListener('abort', later)
    }
  }

  /** Tried twice, since nobody comes back to it: parts of a forgotten upload are paid for. */
  async function forget({ input }: AbortMultipartUploadCommand): Promise<void> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      try {
        await send(new AbortMultipartUploadCommand(input), { abortSignal: AbortSignal.timeout(tidyLimitMs) })
        return
      } catch {
        // The failure that led here is the one to tell.
      }
    }
  }

  return Object.create(client, { send: { value: watched } }) as S3Client
}

function bodyLength(command: unknown): number {
  const isBody = command instanceof PutObjectCommand || command instanceof UploadPartCommand
  const body = isBody ? command.input.Body : undefined
  return body instanceof Uint8Array ? body.byteLength : 0
}

/** Every S3 server names what it stored; a web page with status 200, from a proxy or a wrong endpoint, does not. */
function refuseStrangeAnswer(command: unknown, answer: unknown): void {
  const { ETag, UploadId } = answer as { readonly ETag?: string; readonly UploadId?: string }
  const isMissing = command instanceof CreateMultipartUploadCommand ? UploadId === undefined : ETag === undefined
  if (isMissing) throw strangeAnswer()
}
