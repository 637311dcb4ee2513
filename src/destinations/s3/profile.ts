import { CONFIG_PREFIX_SEPARATOR, getProfileName, loadSharedConfigFiles } from '@smithy/core/config'
import type { S3Settings } from '../../config/settings.ts'
import { UsageError } from '../../errors.ts'

/** An endpoint as it was written, and where: for messages. */
export interface NamedEndpoint {
  readonly text: string
  readonly source: string
}

type Section = Readonly<Record<string, string | undefined>>

/**
 * The endpoint the user names: in the settings, the environment, or the profile that is in effect. The SDK would find
 * one by itself, but only ever in the profile of `AWS_PROFILE`.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 *
 * @throws UsageError where a profile is named that is in neither of the shared files, or names services that are not.
 */
export async function configuredEndpoint(
  settings: Pick<S3Settings, 'endpointUrl' | 'profile'>,
): Promise<NamedEndpoint | undefined> {
  // Read even where the settings name an endpoint: a profile that is not there is a fault in any case. And read anew:
  // the SDK keeps what it has read for as long as the process lives, and takes its credentials from the same reading.
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true })
  const name = getProfileName(settings.profile === undefined ? {} : { profile: settings.profile })
  const inConfig: Section | undefined = own(configFile, name)
  const inCredentials: Section | undefined = own(credentialsFile, name)
  if (inConfig === undefined && inCredentials === undefined) refuseUnknown(settings, name)
  if (settings.endpointUrl !== undefined) return { text: settings.endpointUrl, source: '--endpoint-url' }

  const { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  const profile: Section = { ...inCredentials, ...inConfig }
  if (isTrue(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || profile.ignore_configured_endpoint_urls)) return undefined
  if (AWS_ENDPOINT_URL_S3) return { text: AWS_ENDPOINT_URL_S3, source: 'AWS_ENDPOINT_URL_S3' }
  if (AWS_ENDPOINT_URL) return { text: AWS_ENDPOINT_URL, source: 'AWS_ENDPOINT_URL' }
  const text = fromServices(profile.services, configFile) || profile.endpoint_url
  return text ? { text, source: `endpoint_url of the profile ${JSON.stringify(name)}` } : undefined
}

/** The endpoint of S3 alone, in a section that several profiles may name. */
function fromServices(services: string | undefined, configFile: Readonly<Record<string, Section>>): string | undefined {
  if (!services) return undefined
  const section = own(configFile, inSection('services', services))
  if (section !== undefined) return section[inSection('s3', 'endpoint_url')]
  throw new UsageError(`the profile names [services ${services}], which is not in ${files().config}`)
}

/** As the SDK's reader names sections of a kind, and keys indented below another. */
const inSection = (outer: string, inner: string) => outer + CONFIG_PREFIX_SEPARATOR + inner

const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const isTrue = (text: string | undefined) => text?.toLowerCase() === 'true'

/** Nobody has to have a profile; who names one means it. */
function refuseUnknown({ profile }: Pick<S3Settings, 'profile'>, name: string): void {
  const source = profile ? '--profile' : process.env.AWS_PROFILE && 'AWS_PROFILE'
  if (!source) return
  const { config, credentials } = files()
  throw new UsageError(`${source}: there is no profile ${JSON.stringify(name)} in ${config} or ${credentials}`)
}

/** The shared files, for messages. */
function files(): { readonly config: string; readonly credentials: string } {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env
  return {
    config: AWS_CONFIG_FILE || '~/.aws/config',
    credentials: AWS_SHARED_CREDENTIALS_FILE || '~/.aws/credentials',
  }
}
