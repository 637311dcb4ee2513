import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { loadSharedConfigFiles } from '@smithy/core/config'
import { providerRows } from './error-tables.ts'
import type { SigningCredentials } from './sign.ts'

/** Gets other credentials where the server says that those of a request have expired. */
export interface Renewal {
  /**
   * Whether a request that was refused may go through with the credentials there are now: asks the whole chain anew
   * (profiles, processes, roles, metadata) where nobody has since. Many requests at once ask it once, and where it gave
   * nothing new, it is not asked again.
   *
   * @param used what the request was signed with
   */
  renew(used: SigningCredentials): Promise<boolean>
}

const expiredNames: ReadonlySet<unknown> = new Set(
  providerRows.flatMap(({ code, names }) => (code === 'CREDENTIALS_EXPIRED' ? names : [])),
)

/** @param error what the SDK made of an answer */
export function saysExpired(error: unknown): boolean {
  const { name, Code } = error as { readonly name?: unknown; readonly Code?: unknown }
  return error instanceof Error && (expiredNames.has(name) || expiredNames.has(Code))
}

/** The middleware's name: what is only read with the SDK's help, and not sent, goes without it. */
export const renewalMiddleware = { step: 'initialize', name: 'renewCredentials' } as const

/** Lets a request of `client` whose credentials have expired be signed anew, once, where there are others. */
export function renewExpired(client: S3Client): Renewal {
  let renewing: Promise<SigningCredentials | undefined> | undefined
  let hopeless: SigningCredentials | undefined

  /** Undefined where the chain has none. */
  async function fromChain(): Promise<SigningCredentials | undefined> {
    // The SDK keeps what it has read of the shared files for as long as the process lives.
    await loadSharedConfigFiles({ ignoreCache: true })
    return client.config.credentials({ forceRefresh: true }).catch(() => undefined)
  }

  async function renew(used: SigningCredentials): Promise<boolean> {
    if (isSame(hopeless, used)) return false
    const known = await client.config.credentials().catch(() => undefined)
    if (known !== undefined && !isSame(known, used)) return true
    renewing ??= fromChain().finally(() => {
      renewing = undefined
    })
    const renewed = await renewing
    if (renewed !== undefined && !isSame(renewed, used)) return true
    hopeless = used
    return false
  }

  client.middlewareStack.add(
    (next, context) => async (args) => {
      const used = await client.config.credentials()
      try {
        return await next(args)
      } catch (error) {
        const mayHaveExpired = saysExpired(error) || saysNothing(error, context.commandName)
        // A stream that was read cannot be sent again.
        const canRepeat = !((args.input as { readonly Body?: unknown }).Body instanceof Readable)
        if (!mayHaveExpired || !canRepeat || !(await renew(used))) throw error
        return next(args)
      }
    },
    renewalMiddleware,
  )
  return { renew }
}

/** An answer to HEAD has no body that could name the cause: expired credentials are but a bad request. */
function saysNothing(error: unknown, commandName: string | undefined): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }
  return commandName === 'HeadObjectCommand' && $metadata?.httpStatusCode === 400
}

function isSame(a: SigningCredentials | undefined, b: SigningCredentials): boolean {
  return (
    a !== undefined &&
    a.accessKeyId === b.accessKeyId &&
    a.secretAccessKey === b.secretAccessKey &&
    a.sessionToken === b.sessionToken
  )
}
