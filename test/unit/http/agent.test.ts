import { get } from 'node:http'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openConnections, proxyFor } from '../../../src/http/agent.ts'

const tls = { caBundle: undefined, verify: true }

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'AWS_CA_BUNDLE']) {
    vi.stubEnv(name, '')
    vi.stubEnv(name.toLowerCase(), '')
  }
  return () => vi.unstubAllEnvs()
})

function set(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
}

describe('the proxy for an origin', () => {
  it.each([
    ['https://b.s3.amazonaws.com', {}, undefined],
    ['https://b.s3.amazonaws.com', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https://b.s3.amazonaws.com', { https_proxy: 'https://p' }, 'https://p/'],
    ['https://b.s3.amazonaws.com', { HTTP_PROXY: 'http://p:3128' }, undefined],
    ['https://b.s3.amazonaws.com', { ALL_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['http://h:9000', { HTTP_PROXY: 'p:3128' }, 'http://p:3128/'],
    ['http://h:9000', { HTTP_PROXY: 'http://p', NO_PROXY: 'h' }, undefined],
    ['http://h:9000', { HTTP_PROXY: 'http://p', NO_PROXY: 'h:9000' }, undefined],
    ['http://h:9000', { HTTP_PROXY: 'http://p', NO_PROXY: 'h:9001' }, 'http://p/'],
    ['http://x.h', { HTTP_PROXY: 'http://p', NO_PROXY: 'other, .h' }, undefined],
    ['http://h', { HTTP_PROXY: 'http://p', NO_PROXY: '*' }, undefined],
  ])('%s with %j is %s', (origin, environment, expected) => {
    set(environment)
    expect(proxyFor(origin)?.href).toBe(expected)
  })

  it.each([
    ['https://h', { HTTPS_PROXY: 'socks5://p:1080' }, 'HTTPS_PROXY names a socks5:// proxy'],
    ['http://h', { HTTP_PROXY: 'http://user:secret@%zz' }, 'HTTP_PROXY is no URL'],
  ])('%s with %j is refused', (origin, environment, words) => {
    set(environment)
    expect(() => proxyFor(origin)).toThrow(words)
    expect(() => proxyFor(origin)).not.toThrow('secret')
  })
})

describe('connections', () => {
  it('go one way to one origin, and say which', async () => {
    set({ HTTPS_PROXY: 'http://user:secret@p:3128' })
    const connections = openConnections(tls)
    const direct = await connections.routeTo('http://h')
    const proxied = await connections.routeTo('https://h')
    expect(await connections.routeTo('http://h')).toBe(direct)
    expect(direct.proxy).toBeUndefined()
    expect(proxied.proxy).toBe('p:3128')
    expect(proxied.agent).not.toBe(direct.agent)
    connections.close()
  })

  it('that are not made in time are given up', async () => {
    const connections = openConnections(tls, 20)
    onTestFinished(connections.close)
    const { agent } = await connections.routeTo('http://never.example.test')
    // The name is never found: as far as the socket goes, the connection is still being made.
    const request = get({ host: 'never.example.test', agent, lookup: () => {} })
    await expect(new Promise((_, reject) => request.on('error', reject))).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })
})
