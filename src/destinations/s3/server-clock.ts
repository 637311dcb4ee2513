import type { S3Client } from '@aws-sdk/client-s3'

/**
 * Less is no difference: answers tell the time in whole seconds and take their time themselves. A server refuses requests
 * from a quarter of an hour on.
 */
const differsFromMs = 4 * 60_000

/** How far the server's clock is ahead of this machine's, as far as the SDK has found out; 0 where they agree. */
export function serverAheadMs({ config }: S3Client): number {
  return Math.abs(config.systemClockOffset) < differsFromMs ? 0 : config.systemClockOffset
}

/**
 * Asks again where a question was refused because this machine's clock is wrong, and the SDK has set its own by the
 * answer. Only of HEAD, whose answers have no body to name the cause: a refused clock looks like denied access there.
 * Other requests fail with an error that says it, and are tried again as any that may succeed the next time.
 */
export function followServerClock(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const before = client.config.systemClockOffset
        try {
          return await next(args)
        } catch (error) {
          const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }
          const isRefused = commandName === 'HeadObjectCommand' && $metadata?.httpStatusCode === 403
          if (!isRefused || Math.abs(client.config.systemClockOffset - before) < differsFromMs) throw error
          return next(args)
        }
      },
    { step: 'initialize', name: 'followServerClock' },
  )
}
