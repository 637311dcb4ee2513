import { guardingProperties, unkeptAt } from '../../config/property-fit.ts'
import type { Settings } from '../../config/settings.ts'
import type { ObjectProperties } from '../destination.ts'

/** What objects are asked to have, in general or by a rule. */
type Asked = Pick<Settings, 's3'> & Partial<Pick<Settings, 'properties' | 'rules'>>

/**
 * What objects could not have at an endpoint that is known only now, since a profile names it: settings that name one
 * themselves have been fitted to it.
 *
 * @param warn for what is passed over
 * @returns why nothing may be sent; undefined where it may
 */
export function unkeptProblem(
  { s3, properties = {}, rules = [] }: Asked,
  { to, endpoint }: { readonly to: string; readonly endpoint: string | undefined },
  warn: (message: string) => void,
): string | undefined {
  const unkept = unkeptAt({ to, endpointUrl: endpoint })
  if (unkept === undefined || s3.endpointUrl !== undefined) return undefined
  const asked = [properties, ...rules.map((rule) => rule.properties)]
  const isAsked = (name: keyof ObjectProperties): boolean => asked.some((each) => each[name] !== undefined)
  for (const name of unkept.names) {
    if (isAsked(name)) warn(`${name} has no effect for ${unkept.where}`)
  }
  const lost = guardingProperties.filter(isAsked)
  if (lost.length === 0) return undefined
  return `${unkept.where}, which the profile names, has no place for ${lost.join(', ')}, and files would go without; leave it out`
}
