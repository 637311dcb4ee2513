import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DestinationLimits } from '../../../src/destinations/destination.ts'
import { keyProblem as fileKeyProblem, fixName as fixFileName } from '../../../src/destinations/file/key-problem.ts'
import { keyProblem as s3KeyProblem } from '../../../src/destinations/s3/key-problem.ts'
import { encodedKey, fixName as fixSupabaseName, supabaseKeyProblem } from '../../../src/destinations/supabase/names.ts'
import { UsageError } from '../../../src/errors.ts'
import { keyFixOf } from '../../../src/plan/keys/key-fix.ts'
import { alwaysDistinct, templateFaults } from '../../../src/plan/keys/key-template.ts'
import { createFileSpots } from '../../../src/plan/keys/spots.ts'
import { createUuids } from '../../../src/plan/keys/uuids.ts'
import { createFilePlanner } from '../../../src/plan/plan-file.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { survey } from '../../../src/plan/survey.ts'
import { hostileNames } from '../../support/hostile-names.ts'
import { type Random, randomFrom } from '../../support/random.ts'
import { defaultSettings } from '../../support/settings.ts'
import { nameOfKey } from './key-notation.ts'

/** Names that are surveyed together: so few that their characters meet often. */
const atOnce = 200

const pieces = [
  ...[
    'a',
    '1',
    '2',
    'B',
    'C3',
    'A9',
    '2E',
    '7',
    '=',
    '=2E',
    '=C3=A9',
    '=3D',
    ' ',
    '-',
    '~',
    '%2e',
    '%2f',
    '\\',
    ':',
    '*',
    '#',
  ],
  ...[
    'é',
    'e',
    '\u0301',
    '\u0307',
    '\u0327',
    '\u0338',
    'F',
    'D',
    '\u212a',
    'K',
    '語',
    '\u{1f469}\u200d',
    '\u202e',
    '\ufeff',
  ],
  ...[
    '/',
    '/',
    '/',
    '.',
    '.',
    '..',
    '../',
    './',
    '//',
    '/..',
    '.wav',
    '.tar.gz',
    '{path}',
    '\ufffd',
    '\u2028',
    ';',
    '\u037e',
  ],
  ...[
    '\u0000',
    '\n',
    '\r',
    '\u001f',
    '\u007f',
    '\u0085',
    '\ud800',
    '\udfff',
    'C:',
    'CON',
    '.upload-tmp',
    'x'.repeat(130),
  ],
]

const tokens = [
  ...['{path}', '{path}', '{dir}', '{name}', '{ext}', '{uuid}', '{index}', '{size}', '{mtime}', '{now:yyyy/MM/dd}'],
  ...['{run}', '{mtime:HH:mm}', "{now:'../'yyyy}", "{mtime:'..'/dd}", '{sha256}'],
]
const texts = ['', '', 'x', '/', '/', '-', '..', '../', './', 'é', '=', '%2e%2e/', '\\', '0']

type Kind = 's3' | 'supabase' | 'directory' | 'directory on Windows'
const destinations: Readonly<Record<Kind, Pick<DestinationLimits, 'keyProblem' | 'fixName'>>> = {
  s3: { keyProblem: s3KeyProblem },
  supabase: { keyProblem: supabaseKeyProblem, fixName: fixSupabaseName },
  directory: {
    keyProblem: (key: string) => fileKeyProblem(key, 'linux'),
    fixName: (name: string) => fixFileName(name, 'linux'),
  },
  'directory on Windows': {
    keyProblem: (key: string) => fileKeyProblem(key, 'win32'),
    fixName: (name: string) => fixFileName(name, 'win32'),
  },
}
const kinds = Object.keys(destinations) as Kind[]

/** Names for each destination; `UPLOAD_TEST_FUZZ` says how many there are to be in all. */
const names = Math.ceil(Number(process.env.UPLOAD_TEST_FUZZ ?? 10_000) / kinds.length)
const batches = Math.ceil(names / atOnce)
/** As long as that takes where others work, too, in milliseconds. */
const timeout = 30_000 + names * 4

interface Given {
  readonly kind: Kind
  readonly isMended: boolean
  readonly key?: string | undefined
  readonly prefix: string
  readonly flatten?: boolean
}

function planner({
  kind,
  isMended,
  key,
  prefix,
  flatten = false,
}: Given): (name: string, index: number) => PlannedFile {
  const limits = destinations[kind]
  const plan = createFilePlanner({
    settings: { ...defaultSettings, key, flatten },
    lanes: [{ place: 'here', prefix, keyProblem: limits.keyProblem, fixName: isMended ? keyFixOf(limits) : undefined }],
    run: () => ({ id: 'run-1', startedAtMs: Date.UTC(2026, 10, 22) }),
    uuid: createUuids(0, new Uint8Array(32)),
  })
  return (name, index) => {
    const candidate = { kind: 'found', path: name, absolute: `/nowhere/${index}`, name } as const
    return plan({ candidate, size: index % 3, mtimeMs: index * 1e9, problem: undefined }, index)
  }
}

function randomName(random: Random): string {
  return Array.from({ length: random.below(7) }, () => random.oneOf(pieces)).join('')
}

/** A template that is none is drawn again. */
function randomTemplate(random: Random): string {
  const length = 1 + random.below(4)
  const template =
    Array.from({ length }, () => random.oneOf(texts) + random.oneOf(tokens)).join('') + random.oneOf(texts)
  return templateFaults(template).length === 0 ? template : randomTemplate(random)
}

/** Where a key leads that a server, a proxy or a file system takes for a path. */
function isInside(prefix: string, key: string): boolean {
  const path = `/bucket/${encodedKey(key)}`
  return (
    key.startsWith(prefix) &&
    key.length > prefix.length &&
    posix.normalize(key) === key &&
    posix.join('/bucket', key) === `/bucket/${key}` &&
    new URL(`http://host${path}`).pathname === path &&
    !/\p{Cc}/u.test(key) &&
    key.normalize('NFC') === key
  )
}

function expectInside(prefix: string, key: string): void {
  if (!isInside(prefix, key)) expect.fail(`outside: ${JSON.stringify({ prefix, key })}`)
}

function isSent({ problem, path }: PlannedFile): boolean {
  if (problem !== undefined && problem.code !== 'KEY_INVALID') expect.fail(`${JSON.stringify(path)}: ${problem.code}`)
  return problem === undefined
}

describe.each(kinds)('random names for %s', (kind) => {
  it(
    'and templates make no key outside the prefix',
    () => {
      const random = randomFrom(1 + kinds.indexOf(kind))
      const outcomes = { sent: 0, refused: 0, mended: 0 }
      for (let batch = 0; batch < batches; batch += 1) {
        const prefix = random.oneOf(['', 'p/', 'pre fix/2/'])
        const key = random.below(4) === 0 ? undefined : randomTemplate(random)
        const given = { kind, prefix, key, isMended: random.below(2) === 0, flatten: random.below(4) === 0 }
        const plan = planner(given)
        for (let index = 1; index <= atOnce; index += 1) {
          const file = plan(randomName(random), index)
          outcomes[isSent(file) ? 'sent' : 'refused'] += 1
          if (!isSent(file)) continue
          expectInside(prefix, file.key)
          if (file.originalKey !== undefined) outcomes.mended += 1
        }
      }
      // Neither all names nor none: otherwise the names prove nothing.
      expect(Math.min(...Object.values(outcomes)), JSON.stringify(outcomes)).toBeGreaterThan(names / 50)
    },
    timeout,
  )

  it.each([false, true])(
    'never let two files share a key unseen (--key-fix: %s)',
    async (isMended) => {
      const random = randomFrom(10 + kinds.indexOf(kind))
      const outcomes = { apart: 0, refused: 0 }
      for (let batch = 0; batch < batches; batch += 1) {
        const key = random.oneOf([
          undefined,
          '{dir}/{name}{ext}',
          '{index}{path}',
          '{index}-{path}',
          '{uuid}',
          '{name}',
          '{size}{path}',
        ])
        const plan = planner({ kind, isMended, key, prefix: 'p/' })
        const drawn = new Set(Array.from({ length: random.oneOf([10, atOnce]) }, () => randomName(random)))
        const files = [...drawn].map((name, at) => plan(name, at + 1))
        const sent = files.filter(isSent)
        const keys = new Set(sent.map((file) => file.key))
        const scan = async function* () {
          yield* files
        }
        const surveying = survey(
          {
            scan,
            warn: () => {},
            spots: createFileSpots([]),
            keysDistinct: key !== undefined && alwaysDistinct(key),
            onlyUnicodeTwins: key === undefined,
            allowEmpty: false,
          },
          () => {},
        )
        const found = await surveying.catch((error: unknown) => error)
        const shown = () => JSON.stringify({ key, found, sent: sent.map((file) => [file.path, file.key]) })
        if (found instanceof UsageError === (keys.size === sent.length)) expect.fail(shown())
        outcomes[keys.size === sent.length ? 'apart' : 'refused'] += 1
      }
      expect(Math.min(...Object.values(outcomes)), JSON.stringify(outcomes)).toBeGreaterThan(batches / 50)
    },
    timeout,
  )

  it(
    'are mended so that each can be read back',
    () => {
      const random = randomFrom(20 + kinds.indexOf(kind))
      const mended = planner({ kind, isMended: true, prefix: '' })
      const plain = planner({ kind, isMended: false, prefix: '' })
      const byKey = new Map<string, string>()
      let changed = 0
      for (let index = 1; index <= names; index += 1) {
        const name = randomName(random)
        const [file, before] = [mended(name, index), plain(name, index)]
        const shown = () => JSON.stringify({ name, key: file.key })
        // What can be held as it is stays so, unless it could be taken for something else.
        if (isSent(before) && !/=[\dA-F]{2}/.test(name) && file.key !== before.key) expect.fail(shown())
        if (!isSent(file)) continue
        const composed = name.normalize('NFC')
        const other = byKey.get(file.key) ?? composed
        if (nameOfKey(file.key) !== composed || other !== composed) expect.fail(`${shown()} and ${other}`)
        byKey.set(file.key, composed)
        if (file.originalKey !== undefined) changed += 1
      }
      expect(changed).toBeGreaterThan(names / 5)
    },
    timeout,
  )
})

describe('every hostile name by every token', () => {
  it.each(tokens.map((token) => [token]))('%s', (token) => {
    for (const template of [token, `${token}{name}`, `x/${token}`, `{dir}/${token}`]) {
      const plans = [true, false].map((isMended) => planner({ kind: 's3', isMended, prefix: 'p/', key: template }))
      for (const [at, { name }] of hostileNames.entries()) {
        for (const plan of plans) {
          const file = plan(name, at + 1)
          if (isSent(file)) expectInside('p/', file.key)
        }
      }
    }
  })

  it.each(['{name}', '{ext}', '{uuid}', '{sha256}', '{index}', '{size}', '{run}'])('%s adds no folder', (token) => {
    const plan = planner({ kind: 's3', isMended: false, prefix: 'p/', key: `x${token}y` })
    for (const [at, { name }] of hostileNames.entries()) {
      expect(plan(name, at + 1).key.split('/')).toHaveLength(2)
    }
  })
})
