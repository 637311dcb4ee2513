/**
 * Real S3 servers for the tests in test/real, test/full and test/endurance, and the proxy of the last: binaries that Go's
 * own tool installs once into ~/.cache/bulk-upload-test-servers (or UPLOAD_TEST_SERVER_DIR). Run by itself it prints
 * where they are.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { isMain } from './paths.mjs'

const servers = [
  { name: 'versitygw', module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' },
  { name: 'rclone', module: 'github.com/rclone/rclone', version: 'v1.76.0' },
]
const proxies = [
  { name: 'toxiproxy', module: 'github.com/Shopify/toxiproxy/v2/cmd/server', version: 'v2.12.0', built: 'server' },
]
const installTimeoutMs = 15 * 60 * 1000

/**
 * Finds the servers, and installs those that are not there. A server of the user's own (UPLOAD_TEST_S3_ENDPOINT) is
 * enough: then no server is installed.
 *
 * @param options proxies: those too
 * @returns the variables the tests read, and what there is and is not, for people
 */
export function testServers({ proxies: withProxies = false } = {}) {
  const endpoint = process.env.UPLOAD_TEST_S3_ENDPOINT
  const result = { env: {}, found: endpoint ? [endpoint] : [], missing: [] }
  for (const server of withProxies ? [...servers, ...proxies] : servers) {
    const variable = `UPLOAD_TEST_${server.name.toUpperCase()}`
    const label = `${server.name} ${server.version.slice(1)}`
    const needed = !endpoint || proxies.includes(server)
    const { path, reason } = process.env[variable] ? given(variable) : cached(server, !needed)
    if (path !== undefined) {
      result.env[variable] = path
      result.found.push(label)
    } else if (needed) {
      result.missing.push(`${label} (${reason})`)
    }
  }
  return result
}

function given(variable) {
  const path = resolve(process.env[variable])
  return existsSync(path) ? { path } : { reason: `${variable} names no file` }
}

/**
 * The version is part of the path: a newer one is installed beside the old. `built`: the name Go gives the program, from
 * its folder in the module.
 */
function cached({ name, module, version, built = name }, onlyIfThere) {
  const cache = process.env.UPLOAD_TEST_SERVER_DIR || join(homedir(), '.cache', 'bulk-upload-test-servers')
  const folder = resolve(cache, `${name}-${version}`)
  const path = join(folder, process.platform === 'win32' ? `${built}.exe` : built)
  if (existsSync(path)) return { path }
  if (onlyIfThere) return { reason: 'not installed' }
  if (spawnSync('go', ['version']).status !== 0) return { reason: 'there is no Go to install it with' }
  console.error(`Installing ${name} ${version} into ${folder} (once, some minutes) …`)
  mkdirSync(folder, { recursive: true })
  const { status, stderr, error } = spawnSync('go', ['install', '-ldflags=-s -w', `${module}@${version}`], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: installTimeoutMs,
  })
  if (status === 0 && existsSync(path)) return { path }
  const lastWords = stderr?.trim().split('\n').at(-1)
  return {
    reason: `go install failed: ${error?.code === 'ETIMEDOUT' ? 'it took too long' : lastWords || error?.message}`,
  }
}

if (isMain(import.meta.url)) {
  const { env, found, missing } = testServers({ proxies: true })
  for (const [variable, path] of Object.entries(env)) console.log(`${variable}=${path}`)
  if (missing.length > 0) console.error(`Missing: ${missing.join(', ')}`)
  process.exitCode = found.length === 0 ? 1 : 0
}
