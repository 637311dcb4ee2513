import { endpoint, oneOf, onOff, project, text, textLike } from '../values.ts'
import { option } from './option-spec.ts'

/** How the destination is reached. */
export const connectionOptions = {
  endpointUrl: option({
    schema: endpoint(),
    default: undefined,
    takes: 'one',
    value: 'URL',
    help: 'S3-compatible server to talk to instead of AWS',
    group: 'Providers and network',
    alsoFrom: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  }),
  region: option({
    schema: textLike(/^[\w-]+$/, 'a region such as eu-central-1'),
    default: undefined,
    takes: 'one',
    value: 'NAME',
    help: 'region of the bucket',
    group: 'Providers and network',
    alsoFrom: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  }),
  profile: option({
    schema: text("a profile's name"),
    default: undefined,
    takes: 'one',
    value: 'NAME',
    help: 'profile in ~/.aws to take credentials from',
    group: 'Providers and network',
    alsoFrom: ['AWS_PROFILE'],
  }),
  pathStyle: option({
    schema: oneOf('auto', 'on', 'off'),
    default: 'auto',
    takes: 'one',
    value: 'auto|on|off',
    help: "the bucket in the URL's path; auto: on for a custom endpoint",
    shownDefault: 'auto',
    group: 'Providers and network',
  }),
  noSignRequest: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    help: 'use no credentials (public buckets)',
    group: 'Providers and network',
  }),
  supabaseUrl: option({
    schema: project(),
    default: undefined,
    takes: 'one',
    value: 'URL',
    help: 'Supabase project to send to; its key comes from SUPABASE_SERVICE_ROLE_KEY',
    group: 'Providers and network',
    // Whoever names the project gets the key.
    inConfig: 'named',
    alsoFrom: ['SUPABASE_URL'],
  }),
  caBundle: option({
    schema: text('a PEM file of certificate authorities'),
    default: undefined,
    takes: 'one',
    value: 'FILE',
    help: "trust these certificate authorities beside Node's own (PEM)",
    group: 'Providers and network',
    alsoFrom: ['AWS_CA_BUNDLE'],
  }),
  noVerifySsl: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    help: 'do not verify TLS certificates',
    group: 'Providers and network',
    inConfig: 'named',
  }),
} as const
