import type { UploadError } from '../../../../src/errors.ts'

/** What an error's message may name. */
export const scene = { bucket: 'audio', host: 's3.example.test', permission: 's3:PutObject', proxy: undefined }

/** An error as the SDK throws it for an answer. */
export const answered = (name: string, status: number, headers: Record<string, string> = {}, message = 'Words.') =>
  Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, requestId: 'R1' },
    $response: { statusCode: status, headers },
  })

/** An error as Node throws it where there was no answer. */
export const failed = (fields: object, message = 'it broke') => Object.assign(new Error(message), fields)

/** A code, and whether trying again may help. */
export const outcome = ({ code, retryable }: UploadError) => code + (retryable ? ' retry' : '')
