import { UploadError } from '../errors.ts'

/** A proxy, for messages. */
export interface ProxyScene {
  /** Its host and port, without its password. */
  readonly proxy: string
  /** The environment's variable that names it. */
  readonly variable: string
}

/** A proxy that answered CONNECT with something else than a tunnel. */
export function tunnelRefused({ proxy, variable }: ProxyScene, status: number): UploadError {
  const message =
    status === 407
      ? `the proxy ${proxy} wants a user name and password; put them into ${variable}`
      : `the proxy ${proxy} refused the connection with status ${status}; check ${variable} and NO_PROXY`
  return new UploadError('CONNECTION', message, { status, retryable: status >= 500, unreachable: status >= 502 })
}

/**
 * What went wrong on the way to a proxy. What is no fault of the proxy's (too many open files, say) and what reads the
 * same for any host stays as it is.
 */
export function proxyUnreachable({ proxy, variable }: ProxyScene, thrown: unknown): unknown {
  const cause = thrown
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === undefined) {
    const message = `the proxy ${proxy} does not answer as a proxy does; check ${variable} and NO_PROXY`
    return new UploadError('CONNECTION', message, { cause })
  }
  if (code === 'ECONNREFUSED') {
    const message = `the proxy ${proxy} refuses connections; check ${variable} and that the proxy runs`
    return new UploadError('CONNECTION', message, { cause, unreachable: true })
  }
  if (code === 'ENOTFOUND') {
    const message = `there is no host of the proxy's name ${proxy}; check ${variable}`
    return new UploadError('CONNECTION', message, { cause, retryable: false, unreachable: true })
  }
  if (code === 'EAI_AGAIN') {
    const message = `the name of the proxy ${proxy} cannot be looked up now; check the network`
    return new UploadError('CONNECTION', message, { cause, unreachable: true })
  }
  return thrown
}
