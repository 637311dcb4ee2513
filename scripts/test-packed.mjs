/**
 * `npm run test:packed`: packs the package, installs the tarball elsewhere, and uses it as its users do: as a program
 * from another folder, as a library, and for its types.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inRepository, root } from './paths.mjs'
import { ensureInstalled, npmCommand } from './ready.mjs'

const onWindows = process.platform === 'win32'
const { name, version } = JSON.parse(readFileSync(inRepository('package.json'), 'utf8'))
const files = {
  'plain.txt': Buffer.from('one line\n'),
  'a name with spaces.csv': Buffer.from('a,b\n1,2\n'),
  'take #1.bin': randomBytes(1024 * 1024 + 1),
  empty: Buffer.alloc(0),
}

const usage = `import { upload } from '${name}'
const { uploaded } = await upload({ sources: ['../work/in'], to: 'file:./out/', concurrency: 2 }).summary
console.log(uploaded)
`

const typedUsage = `import { upload, type UploadOptions } from '${name}'
export const options: UploadOptions = { sources: ['in'], to: 'file:./out/', concurrency: 2 }
// @ts-expect-error: the types tell
export const wrong: UploadOptions = { to: 'file:./out/', concurrency: {} }
export const uploaded: Promise<number> = upload(options).summary.then((summary) => summary.uploaded)
`

ensureInstalled()
const folder = mkdtempSync(join(tmpdir(), 'bulk-upload-packed-'))
try {
  const tarball = pack()
  program(tarball)
  library(tarball)
  console.log(`The packed ${name} ${version} works (${Math.round(statSync(tarball).size / 1024)} KiB).`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function pack() {
  npm(root, 'pack', '--pack-destination', folder)
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  assert.ok(tarball, 'npm pack made no tarball')
  return join(folder, tarball)
}

function program(tarball) {
  const prefix = newFolder('prefix')
  npm(folder, 'install', '--global', '--prefix', prefix, tarball)
  const upload = onWindows ? join(prefix, 'upload.cmd') : join(prefix, 'bin', 'upload')
  const installed = onWindows ? join(prefix, 'node_modules', name) : join(prefix, 'lib', 'node_modules', name)
  assert.ok(!existsSync(join(installed, 'node_modules')), 'the package must need no other package')
  assert.ok(existsSync(join(installed, 'dist', 'THIRD-PARTY-LICENSES.txt')), 'the licences are missing')
  assert.ok(existsSync(join(installed, 'dist', 'uploadrc.schema.json')), 'the schema of config files is missing')

  const work = newFolder('work')
  assert.equal(run(work, upload, ['--version']).stdout.trim(), version)

  mkdirSync(join(work, 'in'))
  for (const [file, content] of Object.entries(files)) writeFileSync(join(work, 'in', file), content)
  run(work, upload, ['in', '--to', 'file:./out/', '--report', 'report.jsonl'])
  for (const [file, content] of Object.entries(files)) {
    assert.ok(readFileSync(join(work, 'out', file)).equals(content), `${file} was not stored as it is`)
  }
  const records = readFileSync(join(work, 'report.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    records.map(({ type }) => type),
    ['run', ...Object.keys(files).map(() => 'file'), 'summary'],
  )
}

function library(tarball) {
  const app = newFolder('app')
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }')
  npm(app, 'install', '--no-audit', '--no-fund', tarball)
  writeFileSync(join(app, 'use.mjs'), usage)
  const { stdout, stderr } = run(app, process.execPath, ['use.mjs'])
  assert.deepEqual([stdout, stderr], [`${Object.keys(files).length}\n`, ''], 'the library prints nothing by itself')
  for (const [file, content] of Object.entries(files)) {
    assert.ok(readFileSync(join(app, 'out', file)).equals(content), `${file} was not stored as it is`)
  }

  writeFileSync(join(app, 'use.ts'), typedUsage)
  const tsc = inRepository('node_modules/typescript/bin/tsc')
  const types = ['--types', 'node', '--typeRoots', inRepository('node_modules/@types')]
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023']
  run(app, process.execPath, [tsc, ...strict, ...types, 'use.ts'])
}

function newFolder(path) {
  mkdirSync(join(folder, path))
  return join(folder, path)
}

function npm(cwd, ...args) {
  const command = npmCommand()
  return run(cwd, command.file, [...command.args, ...args, '--loglevel=error'], command.shell)
}

/** In an environment where nothing of the user's own plays a part. */
function run(cwd, file, args, shell = onWindows && file.endsWith('.cmd')) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^UPLOAD_/i.test(key)))
  const result = spawnSync(file, args, {
    cwd,
    shell,
    env: { ...env, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  const said = `${[file, ...args].join(' ')}\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`
  assert.equal(result.status, 0, said)
  return result
}
