import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where everything goes that the benchmark makes and keeps: `UPLOAD_BENCH_DIR`, or a folder for temporary files. */
export const cache = resolve(process.env.UPLOAD_BENCH_DIR || join(tmpdir(), 'bulk-upload-bench'))

export const places = {
  data: join(cache, 'data'),
  tools: join(cache, 'tools'),
  venv: join(cache, 'tools', 'venv'),
  sink: join(cache, 'sink'),
  ca: join(cache, 'sink-ca.pem'),
  results: join(cache, 'results.json'),
  /** Anew for each run: home, state, reports and working folder of a tool. */
  work: join(cache, 'work'),
}

/** Where `npm test` keeps the rclone it tests against. */
export const testServers = resolve(
  process.env.UPLOAD_TEST_SERVER_DIR || join(homedir(), '.cache', 'bulk-upload-test-servers'),
)

/**
 * The environment of every tool: nothing of the user's own (settings, proxies, credentials, `NODE_OPTIONS`) plays a
 * part.
 */
export function cleanEnvironment() {
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
    HOME: join(places.work, 'home'),
    XDG_STATE_HOME: join(places.work, 'state'),
    XDG_CACHE_HOME: join(places.work, 'cache'),
    XDG_CONFIG_HOME: join(places.work, 'config'),
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test-secret',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}
