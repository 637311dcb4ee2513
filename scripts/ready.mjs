/** Makes a clone ready to run. Node's own modules only: nothing may be installed yet. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRepository, root } from './paths.mjs'

/** Installs the packages of package-lock.json, unless they are there. What npm says goes to stderr. */
export function ensureInstalled() {
  if (isInstalled()) return
  console.error('Installing dependencies (npm ci) …')
  // All of them are devDependencies, since they are bundled: NODE_ENV=production must not leave them out. None needs
  // an install script.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = npmCommand()
  const { status, error } = spawnSync(npm.file, [...npm.args, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: npm.shell,
  })
  if (error !== undefined || status !== 0) {
    console.error(
      `The dependencies could not be installed${error ? ` (${error.message})` : ''}: run "npm ci" to see why.`,
    )
    process.exit(1)
  }
}

/** Builds dist/, unless it is newer than everything it is made of. */
export async function ensureBuilt() {
  const sources = ['src', 'scripts/build.mjs', 'scripts/licences.mjs', 'package.json', 'package-lock.json']
  if (oldest(['dist/cli/main.js', 'dist/index.js']) > newest(sources)) return
  console.error('Building …')
  const { bundle } = await import('./build.mjs')
  await bundle().catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
}

/** How to start the npm that started this script, or else the one on the path. */
export function npmCommand() {
  const own = process.env.npm_execpath
  if (own !== undefined && /npm-cli\.c?js$/.test(own)) return { file: process.execPath, args: [own], shell: false }
  return { file: 'npm', args: [], shell: process.platform === 'win32' }
}

/** Whether npm's own note of what it put into node_modules has everything the lockfile wants on this machine. */
function isInstalled() {
  const note = inRepository('node_modules/.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = JSON.parse(readFileSync(inRepository('package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(note, 'utf8')).packages
  return Object.entries(wanted).every(([path, { version, integrity, optional, os, cpu, libc }]) => {
    if (path === '') return true
    const entry = present[path]
    if (entry !== undefined) return entry.version === version && entry.integrity === integrity
    const forThisMachine = os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined
    return optional === true && !forThisMachine
  })
}

function oldest(paths) {
  return Math.min(...paths.map((path) => modified(inRepository(path)) ?? 0))
}

function newest(paths) {
  return Math.max(...paths.map((path) => modifiedBelow(inRepository(path))))
}

/** Folders count too: a file that was removed leaves its mark there only. */
function modifiedBelow(path) {
  const own = modified(path) ?? 0
  if (!statSync(path).isDirectory()) return own
  return readdirSync(path).reduce((latest, name) => Math.max(latest, modifiedBelow(join(path, name))), own)
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
