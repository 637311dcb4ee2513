import { expect, it } from 'vitest'
import { proxyUnreachable, tunnelRefused } from '../../../src/http/proxy-failure.ts'

const scene = { proxy: 'p:3128', variable: 'HTTPS_PROXY' }
const failed = (code?: string) => Object.assign(new Error('it broke'), code === undefined ? {} : { code })

it.each([
  ['ECONNREFUSED', true, 'the proxy p:3128 refuses connections; check HTTPS_PROXY and that the proxy runs'],
  ['ENOTFOUND', false, "there is no host of the proxy's name p:3128; check HTTPS_PROXY"],
  ['EAI_AGAIN', true, 'the name of the proxy p:3128 cannot be looked up now; check the network'],
  [undefined, true, 'the proxy p:3128 does not answer as a proxy does; check HTTPS_PROXY and NO_PROXY'],
])('%s on the way to a proxy', (code, retryable, message) => {
  const cause = failed(code)
  expect(proxyUnreachable(scene, cause)).toMatchObject({ code: 'CONNECTION', retryable, message, cause })
})

it('what is no fault of the proxy is passed on', () => {
  const error = failed('EMFILE')
  expect(proxyUnreachable(scene, error)).toBe(error)
})

it('a password that is missing is asked for', () => {
  expect(tunnelRefused(scene, 407)).toMatchObject({
    retryable: false,
    message: 'the proxy p:3128 wants a user name and password; put them into HTTPS_PROXY',
  })
})
