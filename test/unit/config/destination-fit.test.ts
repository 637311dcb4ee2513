import { describe, expect, it } from 'vitest'
import { fitToDestination, flagsWithoutEffect } from '../../../src/config/destination-fit.ts'
import type { GivenValue } from '../../../src/config/given.ts'
import { flagOf, variableOf } from '../../../src/config/options/option-spec.ts'
import type { OptionKey } from '../../../src/config/options/options.ts'
import { resolveOptions } from '../../../src/config/resolve.ts'

type Values = Partial<Record<OptionKey, unknown>>

/** What was given on the command line, in the environment and in the config. */
function fitted(line: Values, environment: Values = {}, config: Values = {}) {
  const layer = (values: Values, from: (key: string) => string): GivenValue[] =>
    Object.entries(values).map(([key, value]) => ({ key: key as OptionKey, value, from: from(key) }))
  const layers = [layer(line, flagOf), layer(environment, variableOf), layer(config, (key) => `c: ${key}`)] as const
  return fitToDestination(resolveOptions(layers.flat()), layers)
}

const supabaseUrl = 'https://p.supabase.co'
const to = 'supabase://b/'
const sixMiB = 6 * 2 ** 20
const why = 'Supabase takes files up to 6MiB as a whole and larger ones in parts of exactly that size'

it('leaves everything as it is for other destinations, and where there is none', () => {
  for (const other of [{ to: 's3://b/' }, { to: 'file:./out/' }, {}]) {
    const { values, faults, ignored } = fitted({ ...other, partSize: '9MiB' })
    expect({ faults, ignored }).toEqual({ faults: [], ignored: [] })
    expect([values.partSize, values.multipartThreshold]).toEqual([9 * 2 ** 20, 16 * 2 ** 20])
  }
})

describe('part sizes at Supabase', () => {
  it.each<[string, Values, Values?, Values?]>([
    ['nobody gives any', { to, supabaseUrl }],
    ['the same are given', { to, supabaseUrl, partSize: '6MiB', multipartThreshold: sixMiB }],
    ['the same are inherited', { to, supabaseUrl }, { partSize: '6291456' }, { multipartThreshold: '6MiB' }],
    ['the same are given over others', { to, supabaseUrl, partSize: '6MiB' }, { partSize: '8MiB' }],
  ])('are 6 MiB where %s', (_, ...layers) => {
    const { values, faults, ignored } = fitted(...layers)
    expect({ faults, ignored }).toEqual({ faults: [], ignored: [] })
    expect([values.partSize, values.multipartThreshold]).toEqual([sixMiB, sixMiB])
  })

  it.each<[string, [Values, Values?, Values?], string]>([
    ['by flag', [{ to, supabaseUrl, partSize: '8MiB' }], '--part-size: found "8MiB"'],
    [
      'by flag, over the same elsewhere',
      [
        { to, partSize: '8MiB' },
        { supabaseUrl, partSize: '6MiB' },
      ],
      '--part-size',
    ],
    ['by flag, for a destination from elsewhere', [{ partSize: '8MiB' }, { to, supabaseUrl }], '--part-size'],
    ['with the destination in the environment', [{}, { to, supabaseUrl, partSize: '7MiB' }], 'UPLOAD_PART_SIZE'],
    ['in the environment, over the config', [{}, { supabaseUrl, partSize: '7MiB' }, { to }], 'UPLOAD_PART_SIZE'],
    ['with the destination in the config', [{ supabaseUrl }, {}, { to, partSize: 9e6 }], 'c: partSize: found 9000000'],
    ['as a threshold', [{ to, supabaseUrl, multipartThreshold: '0' }], '--multipart-threshold: found "0"'],
  ])('of another value are a fault where they are given for it: %s', (_, layers, said) => {
    const { faults, ignored } = fitted(...layers)
    expect(faults).toEqual([expect.stringContaining(said)])
    expect(faults[0]).toContain(`, but ${why}; leave it out`)
    expect(ignored).toEqual([])
  })

  it.each<[string, [Values, Values?, Values?], string]>([
    ['the environment', [{ to, supabaseUrl }, { partSize: '7MiB' }], 'UPLOAD_PART_SIZE'],
    ['the config', [{ to, supabaseUrl }, {}, { partSize: '7MiB' }], 'c: partSize'],
    [
      'the config, below the environment',
      [{}, { to, supabaseUrl }, { multipartThreshold: 0 }],
      'c: multipartThreshold',
    ],
  ])('of another value are passed over, and that is said, where they are inherited from %s', (_, layers, from) => {
    const { values, faults, ignored } = fitted(...layers)
    expect(faults).toEqual([])
    expect(ignored).toEqual([`${from} is ignored: ${why}`])
    expect([values.partSize, values.multipartThreshold]).toEqual([sixMiB, sixMiB])
  })
})

describe('the project', () => {
  it('is missed where nobody names one', () => {
    expect(fitted({ to }).faults).toEqual([expect.stringMatching(/^destination: supabase:\/\/ needs the project: set/)])
    expect(fitted({ to: 's3://b/' }).faults).toEqual([])
  })

  it('is not missed where it was given and refused', () => {
    expect(fitted({ to, supabaseUrl: 'nonsense' }).faults).toEqual([])
  })
})

describe('flags that can have no effect', () => {
  const ofS3 = { endpointUrl: 'http://h', region: 'eu', profile: 'p', pathStyle: 'on', noSignRequest: true }

  it('are faults, each of them', () => {
    const without = Object.keys(ofS3).map(
      (key) => `${flagOf(key)}: has no effect for supabase:// destinations; leave it out`,
    )
    expect(fitted({ to, supabaseUrl, ...ofS3 }).faults.toSorted()).toEqual(without.toSorted())
    expect(fitted({ to: 's3://b/', supabaseUrl }).faults).toEqual([
      '--supabase-url: has no effect for s3:// destinations; leave it out',
    ])
  })

  it('are none where they say what holds anyway', () => {
    expect(fitted({ to, supabaseUrl, pathStyle: 'auto', noSignRequest: false }).faults).toEqual([])
  })

  it('are none in the environment or the config, which serve every destination', () => {
    expect(fitted({ to }, { supabaseUrl, region: 'eu' }, ofS3)).toMatchObject({ faults: [], ignored: [] })
    expect(fitted({ to: 's3://b/' }, { supabaseUrl })).toMatchObject({ faults: [], ignored: [] })
  })

  it('are none for a directory, which is reached by none of them', () => {
    expect(fitted({ to: 'file:./out/', supabaseUrl, ...ofS3 }).faults).toEqual([])
    expect(flagsWithoutEffect('file:./out/', new Set(['supabaseUrl', 'region']))).toEqual([])
  })
})
