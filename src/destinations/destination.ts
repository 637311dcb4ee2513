import type { Readable } from 'node:stream'

/**
 * The port every provider implements: types only.
 *
 * A destination is made by a function that returns an object of this shape. It maps its provider's failures to
 * `UploadError` and never retries, waits or prints: the transfer owns all of that. An engine is only another way to
 * make a destination (the vendor's own library, or this project's wire); the transfer does not know which it holds.
 */
export interface Destination {
  /** For messages and reports, ending in `/`: `s3://bucket/prefix/`. Never holds a secret. */
  readonly url: string
  /** A custom endpoint, for messages; without secrets. */
  readonly endpoint?: string | undefined
  /** What sends the bytes, for the report. */
  readonly engine: EngineName
  readonly limits: DestinationLimits
  /** Whether `ifAbsent` holds against another writer at the same moment, as far as is known. */
  readonly ifAbsent: IfAbsent
  /**
   * The object's properties, or `undefined` where there is none; its checksum, where the destination has one, only on
   * request, since some read the object for it.
   */
  headObject(key: string, call: Call, wanted?: { readonly checksum: boolean }): Promise<ObjectInfo | undefined>
  /** {@link headObject} makes no request, as in a directory, but for a checksum: to list objects is no cheaper. */
  readonly headIsFree?: boolean | undefined
  /** Stores one object as a whole. May have stored it even where it throws (an answer that was lost). */
  putObject(object: ObjectToPut, body: PartBody, call: Call): Promise<ObjectInfo>
  /** A cheaper way for small files; absent where there is none. */
  readonly small?: SmallUploads | undefined
  /** Removes the object, or one version of it. An object that is not there is not an error. */
  deleteObject(key: string, versionId: string | undefined, call: Call): Promise<void>
  /** The objects whose key begins with `prefix`, in the provider's order. */
  listObjects?(prefix: string, call: Call): AsyncIterable<ObjectInfo>
  /** Whether it keeps an object's earlier versions; absent where it never does. */
  versioning?(call: Call): Promise<Versioning>
  /** The versions of exactly this key, the newest first; absent as {@link versioning}. */
  listVersions?(key: string, call: Call): Promise<readonly ObjectVersion[]>
  /** Absent where this destination cannot, or should not, be called part by part. */
  readonly multipart?: MultipartUploads
  /** Gets ready what only the first upload would have to wait for. Sends nothing there. Absent: nothing is worth it. */
  prepare?(): Promise<void>
  /** Closes connections and removes what is temporary. Called once, at the end of the run. */
  close(): Promise<void>
}

/**
 * `atomic`: of several writers of one key at the same moment one succeeds. `unknown`: depends on a server nobody has
 * asked. `checked`: the destination looks first and writes then, so that two may both succeed.
 */
export type IfAbsent = 'atomic' | 'unknown' | 'checked'

export type EngineName = 'fast' | 'standard'

/** `unknown`: it may not be asked. */
export type Versioning = 'on' | 'suspended' | 'off' | 'unknown'

/** One version of an object. */
export interface ObjectVersion {
  readonly versionId: string
  /** What a plain read of the key gets. */
  readonly isLatest: boolean
  /** It says that the object was deleted. */
  readonly isDeleteMarker: boolean
  readonly size: number
  readonly etag?: string | undefined
  readonly lastModified?: Date | undefined
}

export interface DestinationLimits {
  /** Largest object, in bytes. */
  readonly maxObjectSize: number
  /** Smallest part but the last, in bytes. */
  readonly minPartSize: number
  /** Largest part, in bytes. */
  readonly maxPartSize: number
  /** How many parts one object may have. */
  readonly maxParts: number
  /** Why the destination cannot hold this (full) key, or `undefined` where it can. Pure; no request. */
  keyProblem(key: string): string | undefined
  /**
   * What follows the prefix in a key, with what this destination refuses, though others take it, in the notation of
   * `key-notation.ts`; the same where there is nothing of the kind. Two different names never become one. Absent: it
   * refuses nothing that could be mended.
   */
  fixName?(name: string): string
}

export interface MultipartUploads {
  /**
   * An object may be begun before anybody knows its size, and its parts may become larger as they follow: each says
   * where it begins ({@link PartBody.start}). Absent: the size comes first, and all parts but the last have one.
   */
  readonly isOpenEnded?: boolean
  create(object: ObjectToPut, call: Call): Promise<MultipartUpload>
  /** Takes up an upload begun earlier; `undefined` where the destination no longer has it. */
  resume(uploadId: string, object: ObjectToPut, call: Call): Promise<MultipartUpload | undefined>
  /** Uploads that were neither completed nor aborted, of keys that begin with `prefix`. */
  list?(prefix: string, call: Call): AsyncIterable<UnfinishedUpload>
  /**
   * When the newest part of one of {@link list} was stored; undefined where it has none, or where nobody may ask. Absent
   * where the listing goes by that already.
   */
  lastPartAt?(upload: UnfinishedUpload, call: Call): Promise<Date | undefined>
  /** Removes one of {@link list} with its parts. One that is gone is not an error. */
  remove?(upload: UnfinishedUpload, call: Call): Promise<void>
}

/** What a run that did not get to its end has left at the destination. */
export interface UnfinishedUpload {
  /** Undefined where the destination does not know it (a temporary file). */
  readonly key: string | undefined
  readonly uploadId: string
  readonly initiatedAt: Date
  /** Bytes it takes there, where that is known. */
  readonly size?: number | undefined
}

/** One object being sent part by part. */
export interface MultipartUpload {
  readonly uploadId: string
  /** Bytes in every part but the last. A resumed upload keeps the one it began with. */
  readonly partSize: number
  /** How many parts the destination wants to see at once. */
  readonly maxConcurrentParts: number
  /**
   * Parts follow one another, each sent once: what is there is the object's beginning, and cannot be replaced. The last
   * of those listed may be there only in part. Absent: in any order, and again.
   */
  readonly isSequential?: boolean
  /** The parts the destination holds: on resume it is the truth. */
  listParts(call: Call): Promise<readonly Part[]>
  /** Stores one part. Idempotent: the same number sent again replaces the part, or, in a sequence, completes it. */
  uploadPart(partNumber: number, body: PartBody, call: Call): Promise<Part>
  /** Makes the object out of `parts`, given in order of their number. */
  complete(parts: readonly Part[], call: Call): Promise<ObjectInfo>
  /** Forgets the upload and its parts. An upload that is gone is not an error. */
  abort(call: Call): Promise<void>
  /** Lets go of what is held here for it (an open file); the upload stays, to be resumed. Absent where that is nothing. */
  release?(): Promise<void>
}

export interface Part {
  /** From 1. */
  readonly partNumber: number
  readonly size: number
  readonly etag?: string | undefined
  readonly checksum?: Checksum | undefined
}

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  /** As the provider writes it (base64 for S3). */
  readonly value: string
}

export type ChecksumAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha256'

/** What is to be stored, apart from its bytes. */
export interface ObjectToPut {
  /** The full key, prefix included: `/` separators, no leading `/`. */
  readonly key: string
  readonly contentType: string
  /** One and the same for many objects; absent: none. */
  readonly properties?: ObjectProperties | undefined
  /** The file's modification time, to be kept with the object; nanoseconds since the epoch. Absent: it is not. */
  readonly mtimeNs?: bigint | undefined
  /** Store it only where there is nothing under the key; else fail with `ALREADY_EXISTS`. */
  readonly ifAbsent?: boolean | undefined
  /** Bytes per part, where it is sent in parts. */
  readonly partSize: number
  /** Bytes in all, where it is sent in parts: some destinations want to know before the first. */
  readonly size?: number | undefined
}

/** What is kept with an object beside its bytes and its type. A destination keeps what it can of it. */
export interface ObjectProperties {
  /** As the header has it: `max-age=3600`. */
  readonly cacheControl?: string | undefined
  /** As the header has it: `gzip`. */
  readonly contentEncoding?: string | undefined
  /** As the header has it: `attachment`. */
  readonly contentDisposition?: string | undefined
  /** The user's own, by name; ASCII. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** By name. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** As the provider names it: `STANDARD_IA`. */
  readonly storageClass?: string | undefined
  /** A canned access control list: `bucket-owner-full-control`. */
  readonly acl?: string | undefined
  /** Server-side encryption: `AES256`, `aws:kms`, `aws:kms:dsse`. */
  readonly sse?: string | undefined
  /** Id or ARN of the KMS key it is encrypted with. */
  readonly sseKmsKeyId?: string | undefined
}

/** What a destination says of an object. */
export interface ObjectInfo {
  readonly key: string
  readonly size: number
  readonly etag?: string | undefined
  readonly versionId?: string | undefined
  readonly lastModified?: Date | undefined
  readonly checksum?: Checksum | undefined
}

/**
 * Bytes that can be read again from any offset: that is what makes a retry possible.
 */
export interface PartBody {
  /** Bytes in all. */
  readonly size: number
  /** Offset in the object of a part whose object's size is not known; absent: as many parts of one size are before it. */
  readonly start?: number | undefined
  /**
   * The bytes from `from` (default 0) on, in pieces. A piece's memory is the reader's only until it asks for the next.
   * Rejects with `SOURCE_*` errors; one that ends early or has changed on disk rejects with `SOURCE_CHANGED`.
   */
  open(from?: number): AsyncIterable<Uint8Array>
  /** The same bytes as a Node stream, each chunk memory of its own: for libraries that keep what they are given. */
  stream(from?: number): Readable
  /**
   * All bytes at once, at the beginning of `into`, which has room for one more: by that a file that grew shows.
   * Rejects as {@link open} does.
   */
  readAll(into: Buffer): Promise<void>
  /** Opens it for reads by position, into memory of the caller's. Rejects with `SOURCE_*` errors. */
  openReader(): Promise<PartReader>
}

/** A body that is read in one go. */
export type SmallBody = Pick<PartBody, 'size' | 'readAll'>

/** Where there are a million small files, it counts what is done for each. */
export interface SmallUploads {
  /** Bytes; a larger file goes by `putObject`. */
  readonly maxSize: number
  /** As `putObject`; resolves to `undefined` where the file was not stored and has to go by that. */
  put(object: Omit<ObjectToPut, 'partSize'>, body: SmallBody, call: SmallCall): Promise<ObjectInfo | undefined>
}

/** One for all small files of a run. */
export type SmallCall = Pick<Call, 'signal' | 'timeouts'>

/** A body that stays open, to be read more than once. */
export interface PartReader {
  /**
   * Reads bytes from `offset` on into `into`: some, and none only where `into` is empty. Rejects with `SOURCE_*` errors.
   */
  read(into: Buffer, offset: number): Promise<number>
  /**
   * Some of the bytes from `offset` on, at least one and at most so many, where they are in memory already. They stay as
   * they are until the request that they are for has ended. Absent where they have to be read.
   */
  view?(offset: number, most: number): Buffer
  /** Rejects with `SOURCE_CHANGED` where the file is no longer as it was when its sending began. */
  compare(): Promise<void>
  close(): Promise<void>
}

/** Spreads the bytes of all requests over time, where the user limits their rate. */
export interface Pacer {
  /** How many bytes to send at a time, at most: larger pieces would leave in bursts. */
  readonly pieceSize: number
  /** Resolves once so many more bytes may leave. Rejects with `CANCELLED` where the signal is aborted before. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/** How a destination is called: once per request or, for `putObject` of a large object, once per object. */
export interface Call {
  readonly signal: AbortSignal
  /** How many requests this call may have in flight at once: the slots the transfer holds for it. */
  readonly requests: number
  /**
   * Bytes that have left, in all, since this call began; never decreases. Where the destination had some of them before,
   * these count, too: the first time it is told, `there` says how many they are.
   */
  readonly onBytes?: ((sent: number, there?: number) => void) | undefined
  /** For a destination that reads bodies with {@link PartBody.readAll} or a reader; the other ways are paced already. */
  readonly pacer?: Pacer | undefined
  /** How long each request may take; undefined: as long as bytes flow. */
  readonly timeouts?: RequestTimeouts | undefined
}

/** How long requests may take, learnt from those that were made. */
export interface RequestTimeouts {
  /** Milliseconds for a request with a body of so many bytes, from its first byte to the end of its answer. */
  limitMs(size: number): number
  /** Milliseconds from the body's last byte to the first of the answer. */
  answerLimitMs(size: number): number
  /** A request with a body of so many bytes succeeded in so many milliseconds, counted as {@link limitMs} counts. */
  succeeded(size: number, durationMs: number): void
  /** A request was given up after so many milliseconds, before its body of so many bytes had left. */
  overdue(size: number, durationMs: number): void
}
