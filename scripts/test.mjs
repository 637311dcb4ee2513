/**
 * `npm test`: installs and builds where needed, runs the tests, and ends with one line "N passed, N failed".
 *
 * Without arguments everything but the big matrices and what takes long, with coverage; with arguments the kinds of
 * tests they name (folders of test/). UPLOAD_TEST_REQUIRE_REAL=1 makes a failure of a real server that is missing, and of
 * every test against one that was skipped.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { runNode } from './child.mjs'
import { inRepository, root } from './paths.mjs'
import { ensureBuilt, ensureInstalled } from './ready.mjs'
import { testServers } from './test-servers.mjs'

const everyday = ['unit', 'contract', 'fault', 'e2e', 'real']
const againstServers = ['real', 'full', 'endurance']
/** All of these need a server; the others of `againstServers` try much against stand-ins, too. */
const onlyAgainstServers = ['real']

const kinds = process.argv.length > 2 ? process.argv.slice(2) : everyday
const requireReal = process.env.UPLOAD_TEST_REQUIRE_REAL === '1'
const ran = []
const notRun = []
const total = { passed: 0, failed: 0, skipped: 0 }
/** Of each test that failed its file, name and error: said once more at the end, where a long log is cut last. */
const failures = []

ensureInstalled()
await ensureBuilt()

const local = kinds.filter((kind) => !againstServers.includes(kind))
if (local.length > 0) await run(local, { coverage: kinds === everyday })

const real = kinds.filter((kind) => againstServers.includes(kind))
if (real.length > 0) {
  const { env, found, missing, beside, without } = testServers({ proxies: kinds.includes('endurance') })
  const possible = found.length > 0 ? real : real.filter((kind) => !onlyAgainstServers.includes(kind))
  if (possible.length > 0) await run(possible, { env, servers: [...found, ...beside] })
  notRun.push(...missing.map((server) => `${real.join(' and ')} against ${server}`))
  notRun.push(...without.map((server) => `properties against ${server}`))
  if (requireReal) total.failed += missing.length
}

for (const failure of failures) console.log(`\n✖ ${failure}`)
console.log(`\nRan: ${ran.join(', ') || 'nothing'}. Not run: ${notRun.join(', ') || 'nothing'}.`)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed > 0 ? 1 : 0

/** One run of vitest; its figures go into `total`. */
async function run(kinds, { coverage = false, env = {}, servers = [] }) {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-upload-test-'))
  const output = join(folder, 'results.json')
  const exitCode = await runNode(
    [
      inRepository('node_modules/vitest/vitest.mjs'),
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${output}`],
      ...kinds.flatMap((kind) => ['--project', kind]),
      ...(coverage ? ['--coverage'] : []),
    ],
    { cwd: root, env: { ...withoutOwnSettings(process.env), ...env } },
  )
  const counts = count(output, kinds)
  const failedBefore = total.failed
  rmSync(folder, { recursive: true, force: true })

  for (const kind of kinds) {
    const { passed, failed, skipped } = counts[kind]
    const where = againstServers.includes(kind) ? ` against ${servers.join(' and ') || 'stand-ins alone'}` : ''
    ran.push(`${kind} ${passed + failed}${where}`)
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
    if (requireReal && againstServers.includes(kind)) total.failed += skipped
    if (passed + failed + skipped === 0) {
      console.log(`There are no tests of the kind "${kind}" (test/${kind}), or they could not be started.`)
      total.failed += 1
    }
  }
  if (exitCode !== 0 && total.failed === failedBefore) {
    console.log('No test failed, but something else did: coverage below its threshold, or an error between tests.')
    total.failed += 1
  }
}

/** A developer's own UPLOAD_CONCURRENCY must not change what the tests see. */
function withoutOwnSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^UPLOAD_(?!TEST_)/i.test(name)))
}

/** Results by kind. A file that could not even be loaded is one failed test. */
function count(output, kinds) {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, { passed: 0, failed: 0, skipped: 0 }]))
  for (const { name, status, message, assertionResults } of read(output).testResults) {
    const [, kind] = relative(root, name).split(sep)
    const tests = counts[kind]
    for (const test of assertionResults) {
      if (test.status === 'passed') tests.passed += 1
      else if (test.status === 'failed') {
        tests.failed += 1
        failures.push(`${relative(root, name)}: ${test.fullName}\n${firstLines(test.failureMessages.join('\n'))}`)
      } else tests.skipped += 1
    }
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
      tests.failed += 1
      failures.push(`${relative(root, name)}: could not be run\n${firstLines(message)}`)
    }
  }
  return counts
}

function firstLines(text = '') {
  return text.split('\n').slice(0, 12).join('\n')
}

/** Vitest writes nothing where it ends before its time. */
function read(output) {
  try {
    return JSON.parse(readFileSync(output, 'utf8'))
  } catch {
    return { testResults: [] }
  }
}
