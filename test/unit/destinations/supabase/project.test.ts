import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { supabaseProject } from '../../../../src/destinations/supabase/project.ts'
import { UploadError, UsageError } from '../../../../src/errors.ts'

describe('where a project is', () => {
  it.each([
    [
      'https://abcdefgh.supabase.co',
      'https://abcdefgh.supabase.co/storage/v1',
      'https://abcdefgh.storage.supabase.co/storage/v1/upload/resumable',
    ],
    [
      'https://a.b.supabase.co/',
      'https://a.b.supabase.co/storage/v1',
      'https://a.b.supabase.co/storage/v1/upload/resumable',
    ],
    [
      'https://api.example.com:8443/base//',
      'https://api.example.com:8443/base/storage/v1',
      'https://api.example.com:8443/base/storage/v1/upload/resumable',
    ],
    [
      'http://127.0.0.1:54321',
      'http://127.0.0.1:54321/storage/v1',
      'http://127.0.0.1:54321/storage/v1/upload/resumable',
    ],
  ])('%s', (url, rest, resumable) => {
    const project = supabaseProject({ url }, {})
    expect(project.rest.origin + project.rest.path).toBe(rest)
    expect(project.resumable.origin + project.resumable.path).toBe(resumable)
    expect(project.url).toBe(url.replace(/\/+$/, ''))
    expect(project.host).toBe(new URL(url).host)
  })

  it('has to be named', () => {
    expect(() => supabaseProject({ url: undefined }, {})).toThrow(UsageError)
  })

  it('may be behind a proxy, which has to be one', () => {
    onTestFinished(() => void vi.unstubAllEnvs())
    for (const name of ['NO_PROXY', 'no_proxy', 'https_proxy', 'ALL_PROXY', 'all_proxy']) vi.stubEnv(name, '')
    vi.stubEnv('HTTPS_PROXY', 'http://user:secret@proxy.example:3128')
    const project = supabaseProject({ url: 'https://abcdefgh.supabase.co' }, {})
    expect(project.proxy(project.resumable.origin)).toBe('proxy.example:3128')
    vi.stubEnv('HTTPS_PROXY', 'socks5://proxy.example')
    expect(() => supabaseProject({ url: 'https://abcdefgh.supabase.co' }, {})).toThrow(UsageError)
  })
})

describe('the key', () => {
  const url = 'https://abcdefgh.supabase.co'

  it.each([
    [{ SUPABASE_SERVICE_ROLE_KEY: 'strong', SUPABASE_KEY: 'weak' }, 'strong'],
    [{ SUPABASE_SERVICE_ROLE_KEY: ' ', SUPABASE_KEY: ' weak\n' }, 'weak'],
  ])('comes from the environment: %j', (env, key) => {
    const project = supabaseProject({ url }, env)
    expect(project.key()).toBe(key)
    expect(project.authorization().slice(0, 4)).toEqual(['authorization', `Bearer ${key}`, 'apikey', key])
    expect(project.authorization()).toBe(project.authorization())
  })

  it('is taken out of what a server says', () => {
    const project = supabaseProject({ url }, { SUPABASE_SERVICE_ROLE_KEY: 'strong', SUPABASE_KEY: ' weak\n' })
    expect(project.withoutKey('strong, weak and strong')).toBe('***, *** and ***')
    expect(supabaseProject({ url }, { SUPABASE_KEY: ' ' }).withoutKey('a b')).toBe('a b')
  })

  it.each([
    [{}, 'no key was found'],
    [{ SUPABASE_KEY: '' }, 'no key was found'],
    [{ SUPABASE_KEY: 'a\nx-evil: b' }, 'SUPABASE_KEY holds something that is no key'],
    [{ SUPABASE_SERVICE_ROLE_KEY: 'é' }, 'SUPABASE_SERVICE_ROLE_KEY holds something that is no key'],
  ])('is missed when it is wanted: %j', (env, message) => {
    const project = supabaseProject({ url }, env)
    expect(() => project.authorization()).toThrow(message)
    expect(() => project.key()).toThrow(UploadError)
  })
})
