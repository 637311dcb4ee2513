import { expect, it } from 'vitest'
import type { Settings } from '../../../src/config/settings.ts'
import { factories, openDestination } from '../../../src/destinations/registry.ts'
import { s3Settings } from '../../contract/s3-settings.ts'

const supabase = { url: 'http://127.0.0.1:9' }
const to = (url: string): Settings => ({ ...s3Settings('http://127.0.0.1:9'), supabase, to: url }) as Settings

it('knows these schemes', () => {
  expect(Object.keys(factories).toSorted()).toEqual(['file', 's3', 'supabase'])
})

it.each([
  ['s3://bucket/prefix', 's3://bucket/prefix/', 'fast'],
  ['supabase://bucket/prefix', 'supabase://bucket/prefix/', 'fast'],
  ['file:./some/dir', 'file:./some/dir/', 'fast'],
])('opens %s', async (url, expected, engine) => {
  const destination = await openDestination(to(url), () => {})
  expect(destination).toMatchObject({ url: expected, engine })
  await destination.close()
})

it('refuses others', () => {
  expect(() => openDestination(to('ftp://h/'), () => {})).toThrow()
})
