import { parseArgs } from 'node:util'

const usage = `Usage: npm run bench -- [options]

  --only ID,ID      these workloads only (--list names them)
  --tools NAME,NAME these tools only: ours-fast, ours-standard, s5cmd, rclone, aws-cli, aws-cli-2, crt, lib-storage, naive
  --rounds N        rounds of each workload (default: 5, some have their own)
  --quick           tiny data sets and one round: shows that everything works, its figures say nothing
  --write           write bench/RESULTS.md when done
  --keep            keep what earlier runs measured of other workloads: RESULTS.md in parts
  --install         install the peers that registries offer into the cache directory first
  --no-build        measure dist/ as it is
  --list            name the workloads and tools, and what there is of them
`

/** What was asked for on the command line; wrong usage ends the process with 2. */
export function readOptions(args, workloadIds, toolNames) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        tools: { type: 'string' },
        rounds: { type: 'string' },
        keep: { type: 'boolean' },
        quick: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        install: { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(usage)
      process.exit(0)
    }
    if (values.quick && values.write) throw new Error('--quick measures nothing worth --write.')
    return {
      ...values,
      build: !values['no-build'],
      only: chosen('--only', values.only, workloadIds),
      tools: chosen('--tools', values.tools, toolNames),
      rounds: count(values.rounds),
    }
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}

function chosen(option, text, known) {
  if (text === undefined) return known
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new Error(`${option}: there is no ${unknown.join(', ')}. There are: ${known.join(', ')}.`)
  return known.filter((name) => names.includes(name))
}

function count(text) {
  if (text === undefined) return undefined
  const rounds = Number(text)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: ${text} is no whole number above 0.`)
  return rounds
}
