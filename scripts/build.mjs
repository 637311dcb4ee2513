/**
 * Builds dist/: the program and the library as bundles that need no other package, type declarations, the JSON Schema of
 * config files, and the licences of what was bundled.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { thirdPartyLicences } from './licences.mjs'
import { inRepository, isMain, root } from './paths.mjs'

/** Where a config's `$schema` finds it. */
const schemaName = 'uploadrc.schema.json'

/** Of package.json only what the program says of itself: the rest would be dead weight in every start. */
const ownPackageJson = {
  name: 'own-package-json',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
      if (resolve(path) !== inRepository('package.json')) return undefined
      const { name, version } = JSON.parse(await readFile(path, 'utf8'))
      return { contents: JSON.stringify({ name, version }), loader: 'json' }
    })
  },
}

/**
 * What `proper-lockfile` brings along would reach into the whole process: signal handlers, which a library must not set
 * and which undo `nohup`, and patches of Node's `fs`. It gets the process's `exit` event and `fs` itself instead.
 */
const tameLock = {
  name: 'tame-lock',
  setup({ onResolve, onLoad }) {
    const isLock = ({ importer }) => /[\\/]proper-lockfile[\\/]/.test(importer)
    onResolve({ filter: /^graceful-fs$/ }, (from) => (isLock(from) ? { path: 'node:fs', external: true } : undefined))
    onResolve({ filter: /^signal-exit$/ }, (from) =>
      isLock(from) ? { path: 'on-exit', namespace: 'tame-lock' } : undefined,
    )
    onLoad({ filter: /^on-exit$/, namespace: 'tame-lock' }, () => ({
      contents: "module.exports = (callback) => { process.on('exit', callback) }",
      loader: 'js',
    }))
  },
}

/**
 * `tus-js-client` can keep a file of the uploads it has begun, which this program never asks for. What it takes for that
 * comes with other packages, one of them without a licence.
 */
const noUploadsFile = {
  name: 'no-uploads-file',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]tus-js-client[\\/]lib\.esm[\\/]node[\\/]urlStorage\.js$/ }, () => ({
      contents: 'export const canStoreURLs = false, FileUrlStorage = undefined',
      loader: 'js',
    }))
  },
}

/**
 * Writes dist/ anew. A failed build leaves the old one as it was.
 *
 * @throws Error after the faults in the sources have been printed
 */
export async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    // The packages' ESM builds: they tree-shake, and their dynamic imports stay lazy.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: {
      // CommonJS dependencies call require() for Node's own modules.
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    define: {
      // The SDK's notice about Node 20 is for those who choose the SDK's version, not for users of a bundle.
      'process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED': '"true"',
    },
    plugins: [ownPackageJson, tameLock, noUploadsFile],
    metafile: true,
    write: false,
    logLevel: 'warning',
  }).catch(() => {
    throw new Error('The bundles could not be built: see above.')
  })

  const fresh = inRepository(`dist.new-${process.pid}`)
  const dist = inRepository('dist')
  try {
    for (const { path, contents } of outputFiles) {
      const target = join(fresh, path.slice(dist.length))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, contents)
    }
    await writeFile(join(fresh, schemaName), JSON.stringify(await configSchema()))
    await writeFile(join(fresh, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicences(metafile))
    await rm(dist, { recursive: true, force: true })
    await rename(fresh, dist)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** The JSON Schema of config files, as the sources make it. */
async function configSchema() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/config/file/json-schema.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    write: false,
    logLevel: 'warning',
  })
  const code = Buffer.from(outputFiles[0].contents).toString('base64')
  return (await import(`data:text/javascript;base64,${code}`)).configSchema()
}

/**
 * Writes dist/types, as much of it as dist/types/index.d.ts leads to.
 *
 * @throws Error after what does not hold in the types has been printed
 */
async function declarations() {
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error('The types do not hold: see above.')

  const folder = inRepository('dist/types')
  const needed = new Set([join(folder, 'index.d.ts')])
  for (const file of needed) {
    const text = await readFile(file, 'utf8')
    for (const [, path] of text.matchAll(/(?:from |import\()'(\.[^']+)\.ts'/g)) {
      needed.add(join(dirname(file), `${path}.d.ts`))
    }
  }
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of files.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name)
    if (!needed.has(path)) await rm(path)
  }
}

if (isMain(import.meta.url)) {
  try {
    await bundle()
    await declarations()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
