/**
 * `npm start`: the program from a fresh clone. Without arguments a demo, samples/ into ./demo-bucket/; with arguments
 * the user's own job, in the folder npm was called from.
 */
import { existsSync, rmSync } from 'node:fs'
import { runNode } from './child.mjs'
import { inRepository, root } from './paths.mjs'
import { ensureBuilt, ensureInstalled } from './ready.mjs'

const demoReports = ['demo-report.jsonl', 'demo-report.csv']

ensureInstalled()
await ensureBuilt()
const args = process.argv.slice(2)
process.exitCode = args.length === 0 ? await demo() : await ownJob(args)

/** No UPLOAD_TO and no .uploadrc.json above may turn the demo towards somebody's bucket. */
async function demo() {
  const ownSettings = ([name]) => !name.toUpperCase().startsWith('UPLOAD_')
  const env = Object.fromEntries(Object.entries(process.env).filter(ownSettings))
  for (const report of demoReports) rmSync(inRepository(report), { force: true })
  const exitCode = await runNode(
    [
      inRepository('bin/upload.js'),
      'samples',
      ...['--to', 'file:./demo-bucket/'],
      ...['--config', 'scripts/demo.uploadrc.json'],
      ...demoReports.flatMap((report) => ['--report', report]),
    ],
    { cwd: root, env },
  )
  const written = demoReports.map(inRepository).filter((report) => existsSync(report))
  if (written.length > 0) console.error(`\nReports of this demo:\n  ${written.join('\n  ')}`)
  return exitCode
}

function ownJob(args) {
  const calledByNpm = process.env.npm_lifecycle_event === 'start'
  const cwd = (calledByNpm ? process.env.INIT_CWD : undefined) ?? process.cwd()
  return runNode([inRepository('bin/upload.js'), ...args], { cwd })
}
