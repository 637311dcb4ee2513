import type { S3Settings, TlsSettings } from '../../src/config/settings.ts'
import type { S3DestinationSettings } from '../../src/destinations/s3/engine.ts'

/** Settings for a server at `endpointUrl`; the threshold is the least a part may have, so that tests stay small. */
export function s3Settings(
  endpointUrl: string | undefined,
  s3: Partial<S3Settings> = {},
  tls: Partial<TlsSettings> = {},
): S3DestinationSettings {
  return {
    s3: { endpointUrl, region: undefined, profile: undefined, pathStyle: 'auto', signRequest: true, ...s3 },
    tls: { caBundle: undefined, verify: true, ...tls },
    multipartThreshold: 5 * 2 ** 20,
    engine: 'fast',
    bufferSize: 256 * 1024,
    concurrency: 'auto',
    checksum: 'auto',
    timeouts: { requestMs: 'auto', stallMs: 30_000 },
  }
}

export const fakeCredentials = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test secret/+key' }

/** Credentials as the environment gives them; what else it holds of AWS is taken away. */
export const credentialEnvironment: Readonly<Record<string, string | undefined>> = {
  AWS_ACCESS_KEY_ID: fakeCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: fakeCredentials.secretAccessKey,
  AWS_SESSION_TOKEN: undefined,
  AWS_REGION: undefined,
  AWS_DEFAULT_REGION: undefined,
  AWS_PROFILE: undefined,
  AWS_CA_BUNDLE: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_S3: undefined,
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  HTTP_PROXY: undefined,
  HTTPS_PROXY: undefined,
  ALL_PROXY: undefined,
  NO_PROXY: undefined,
  http_proxy: undefined,
  https_proxy: undefined,
  all_proxy: undefined,
  no_proxy: undefined,
}
