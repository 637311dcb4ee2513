/**
 * Real S3 servers for the tests in test/real, test/full and test/endurance, and the proxy of the last: binaries that Go's
 * own tool installs once into ~/.cache/bulk-upload-test-servers (or UPLOAD_TEST_SERVER_DIR). Beside them, where there is
 * Python, a client that is no part of this project (boto3), and a server that keeps what the others have no place for
 * (moto). Run by itself it prints where they are.
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
const python = { version: '5.2.5', packages: ['moto[server,s3]==5.2.5', 'boto3==1.44.5'] }
const installTimeoutMs = 15 * 60 * 1000

/**
 * Finds the servers, and installs those that are not there. A server of the user's own (UPLOAD_TEST_S3_ENDPOINT) is
 * enough: then no server is installed.
 *
 * @param options proxies: those too
 * @returns the variables the tests read, and what there is and is not, for people; `beside`: what some tests can do
 * without, `without`: what of that there is not
 */
export function testServers({ proxies: withProxies = false } = {}) {
  const endpoint = process.env.UPLOAD_TEST_S3_ENDPOINT
  const result = { env: {}, found: endpoint ? [endpoint] : [], missing: [], beside: [], without: [] }
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
  const { env, reason } = pythonServer(Boolean(endpoint))
  const label = `moto ${python.version} and boto3`
  if (env === undefined) result.without.push(`${label} (${reason})`)
  else {
    Object.assign(result.env, env)
    result.beside.push(label)
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
  const folder = join(cacheFolder(), `${name}-${version}`)
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

/** A Python of its own with moto and boto3 in it. */
function pythonServer(onlyIfThere) {
  const folder = join(cacheFolder(), `python-moto-${python.version}`)
  const programs = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin')
  const ending = process.platform === 'win32' ? '.exe' : ''
  const env = {
    UPLOAD_TEST_MOTO: join(programs, `moto_server${ending}`),
    UPLOAD_TEST_PYTHON: join(programs, `python${ending}`),
  }
  // moto comes after all that it needs: once it is there, so are they.
  if (existsSync(env.UPLOAD_TEST_MOTO)) return { env }
  if (onlyIfThere) return { reason: 'not installed' }
  const system = ['python3', 'python'].find((name) => {
    const asked = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))'
    return spawnSync(name, ['-c', asked]).status === 0
  })
  if (system === undefined) return { reason: 'there is no Python 3.9 with venv to install it with' }
  console.error(`Installing ${python.packages.join(' and ')} into ${folder} (once, a minute) …`)
  const options = {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: installTimeoutMs,
  }
  const made = spawnSync(system, ['-m', 'venv', folder], options)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...python.packages]
  const last = made.status === 0 ? spawnSync(env.UPLOAD_TEST_PYTHON, pip, options) : made
  if (last.status === 0 && existsSync(env.UPLOAD_TEST_MOTO)) return { env }
  return { reason: `pip install failed: ${last.stderr?.trim().split('\n').at(-1) || last.error?.message}` }
}

function cacheFolder() {
  return resolve(process.env.UPLOAD_TEST_SERVER_DIR || join(homedir(), '.cache', 'bulk-upload-test-servers'))
}

if (isMain(import.meta.url)) {
  const { env, found, missing, without } = testServers({ proxies: true })
  for (const [variable, path] of Object.entries(env)) console.log(`${variable}=${path}`)
  const lacking = [...missing, ...without]
  if (lacking.length > 0) console.error(`Missing: ${lacking.join(', ')}`)
  process.exitCode = found.length === 0 ? 1 : 0
}
