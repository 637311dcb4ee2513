import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadCommandSettings } from '../../../src/config/command-settings.ts'
import { UsageError } from '../../../src/errors.ts'

const nowhere = { flags: {}, env: {}, cwd: '/nowhere/cwd', home: '/nowhere', uid: undefined }

async function configured(config: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'command-settings-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, '.uploadrc.json'), config)
  return cwd
}

describe('settings of a command beside the main job', () => {
  it('are the defaults where nobody says anything, with neither sources nor a destination', async () => {
    const { settings, byFlag } = await loadCommandSettings(nowhere)
    expect(settings).toMatchObject({ sources: [], to: '', concurrency: 'auto', json: false, retry: { retries: 8 } })
    expect(settings.s3).toMatchObject({ endpointUrl: undefined, pathStyle: 'auto', signRequest: true })
    expect(byFlag.size).toBe(0)
  })

  it('come from flags, then the environment, then the config', async () => {
    const cwd = await configured('{"s3": {"region": "eu-1", "profile": "p"}, "concurrency": 4, "retries": 3}')
    const env = { AWS_REGION: 'eu-2', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }
    const { settings, byFlag } = await loadCommandSettings({
      ...nowhere,
      cwd,
      env,
      flags: { endpointUrl: 'http://127.0.0.1:2' },
    })
    expect(settings.s3).toMatchObject({ endpointUrl: 'http://127.0.0.1:2', region: 'eu-2', profile: 'p' })
    expect(settings).toMatchObject({ concurrency: 4, retry: { retries: 3 }, configFile: join(cwd, '.uploadrc.json') })
    expect([...byFlag]).toEqual(['endpointUrl'])
  })

  it('are not disturbed by what the main job alone would refuse', async () => {
    const cwd = await configured('{"partSize": "much", "to": "nowhere"}')
    const { settings } = await loadCommandSettings({ ...nowhere, cwd, env: { UPLOAD_ORDER: 'none' } })
    expect(settings).toMatchObject({ order: 'scan', to: '' })
  })

  it('are refused with every fault', async () => {
    const cwd = await configured('{"regoin": "eu-1"}')
    const flags = { concurrency: 'many', caBundle: 'missing.pem' }
    const loading = loadCommandSettings({ ...nowhere, cwd, flags, env: { UPLOAD_PATH_STYLE: 'maybe' } })
    const error: unknown = await loading.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).faults).toEqual([
      expect.stringMatching(/^--concurrency: found "many"/),
      expect.stringMatching(/^UPLOAD_PATH_STYLE: found "maybe"/),
      expect.stringMatching(/regoin: unknown key/),
      expect.stringMatching(/^--ca-bundle: found "missing\.pem", expected a file that can be read \(ENOENT\)/),
    ])
  })

  it('are refused where the config cannot be read', async () => {
    const cwd = await configured('{')
    await expect(loadCommandSettings({ ...nowhere, cwd })).rejects.toThrow(/not valid JSON/)
  })
})
