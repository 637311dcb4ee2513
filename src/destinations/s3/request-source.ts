import type { S3Client } from '@aws-sdk/client-s3'
import type { Renewal } from './renewal.ts'
import type { SigningCredentials } from './sign.ts'
import { createStamper, type Stamp, type StampedRequest, type Stamper } from './stamp.ts'
import type { Template } from './template.ts'

/** Makes requests of one kind, for one bucket in one region. */
export interface RequestMaker {
  /** `https://host:port` */
  readonly origin: string
  /** Signed for now, with credentials that still hold for a while. */
  make(stamp: Stamp): StampedRequest
}

/** Requests of one kind, wherever the bucket turns out to be. */
export interface RequestSource {
  /** Undefined where something has to be waited for: a template, or credentials that expire. */
  now(): RequestMaker | undefined
  /** @throws what the SDK throws where there are no credentials, or the bucket's name makes no address. */
  get(): Promise<RequestMaker>
  /** Whether the bucket turned out to be in another region than the one these requests are for. */
  isOutdated(maker: RequestMaker): boolean
  /** What the requests made now are signed with; undefined where they are not. */
  signer(): SigningCredentials | undefined
  /** Whether there are other credentials by now than those a refused request was signed with. */
  renew(used: SigningCredentials): Promise<boolean>
}

/** Credentials are asked for anew so long before they expire, as the SDK does. */
const renewBeforeMs = 5 * 60_000

/**
 * @param capture makes the template, for the region that is known by then
 * @param region changes where the bucket turns out to be in another
 * @param renewal of credentials that expired before their time, or that say nothing of it
 */
export function createRequestSource(
  client: S3Client,
  capture: () => Promise<Template>,
  region: () => string | undefined,
  renewal: Renewal,
): RequestSource {
  let made:
    | { readonly maker: RequestMaker; readonly isSigned: boolean; readonly region: string | undefined }
    | undefined
  let making: Promise<void> | undefined
  let credentials: (SigningCredentials & { readonly expiration?: Date | undefined }) | undefined
  /** What the server took for expired; requests that are about to leave may still be signed with it. */
  let expired: SigningCredentials | undefined

  /** By the server's clock, as far as the SDK has found out how wrong this machine's is. */
  const now = (): number => Date.now() + client.config.systemClockOffset
  const holds = (): boolean => (credentials?.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now() > renewBeforeMs
  const isReady = (): boolean =>
    made?.region === region() && (!made?.isSigned || (credentials !== undefined && credentials !== expired && holds()))

  const prepare = async (): Promise<void> => {
    while (made === undefined || made.region !== region()) {
      const before = region()
      const template = await capture()
      // Not known before the first; and another request may be told meanwhile that the bucket is elsewhere.
      if (before !== undefined && before !== region()) continue
      made = { maker: makerOf(template), isSigned: template.scope !== undefined, region: region() }
    }
    if (made.isSigned) credentials = await client.config.credentials()
  }
  const makerOf = (template: Template): RequestMaker => {
    const stamper: Stamper = createStamper(template)
    return { origin: template.origin, make: (stamp) => stamper(stamp, now(), credentials) }
  }

  return {
    now: () => (isReady() ? made?.maker : undefined),
    isOutdated: (maker) => made?.maker !== maker || made.region !== region(),
    signer: () => (made?.isSigned ? credentials : undefined),
    async renew(used) {
      if (!(await renewal.renew(used))) return false
      expired = used
      return true
    },
    async get() {
      // Many files begin at once; what is prepared for one serves all.
      making ??= prepare().finally(() => {
        making = undefined
      })
      await making
      return (made as NonNullable<typeof made>).maker
    },
  }
}
