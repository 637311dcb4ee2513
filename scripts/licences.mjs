import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './paths.mjs'

const rule = `\n${'-'.repeat(80)}\n\n`

/**
 * The text of THIRD-PARTY-LICENSES.txt: every package of which something went into the bundles.
 *
 * @param metafile esbuild's
 */
export async function thirdPartyLicences(metafile) {
  const folders = new Set()
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder)
    }
  }
  const entries = new Map()
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
    const texts = await licenceTexts(join(root, folder))
    if (license === undefined && texts.length === 0) throw new Error(`${name}@${version} comes without a licence`)
    entries.set(`${name}@${version}`, [`${name} ${version}\nLicence: ${license ?? 'see below'}`, ...texts].join('\n\n'))
  }
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  return `This package contains code of the following packages.\n${rule}${sorted.join(`\n${rule}`)}\n`
}

async function licenceTexts(folder) {
  const names = (await readdir(folder)).filter((name) => /^(licen[cs]e|copying|notice)([.-]|$)/i.test(name)).sort()
  return Promise.all(names.map(async (name) => (await readFile(join(folder, name), 'utf8')).trim()))
}
