import { type DestinationUrl, parseDestinationUrl } from '../config/destination-url.ts'
import type { Destination } from './destination.ts'
import type { OpeningSettings } from './opening-settings.ts'

type Factories = {
  readonly [Scheme in DestinationUrl['scheme']]: (
    settings: OpeningSettings,
    url: Extract<DestinationUrl, { scheme: Scheme }>,
    warn: (message: string) => void,
  ) => Promise<Destination>
}

/** Every provider, one line each; its code is loaded only when a run names its scheme. */
export const factories: Factories = {
  s3: async (settings, url, warn) => (await import('./s3/index.ts')).openS3Destination(settings, url, warn),
  supabase: async (settings, url, warn) =>
    (await import('./supabase/index.ts')).openSupabaseDestination(settings, url, warn),
  file: async ({ properties }, url, warn) =>
    (await import('./file/index.ts')).openFileDestination(url, properties, warn),
}

/**
 * The destination `settings.to` names. Makes no request and touches no file of the destination.
 *
 * @param warn for what the user has to know of it later, once
 * @throws UsageError where the URL, a bundle of certificates or the like cannot be used.
 */
export function openDestination(settings: OpeningSettings, warn: (message: string) => void): Promise<Destination> {
  const url = parseDestinationUrl(settings.to)
  switch (url.scheme) {
    case 's3':
      return factories.s3(settings, url, warn)
    case 'supabase':
      return factories.supabase(settings, url, warn)
    case 'file':
      return factories.file(settings, url, warn)
  }
}
