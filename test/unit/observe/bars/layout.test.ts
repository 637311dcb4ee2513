import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'
import { fitLabel } from '../../../../src/observe/bars/label.ts'
import {
  chooseGrid,
  createWants,
  layoutRow,
  layoutTotal,
  type RowView,
  type TotalView,
  widen,
  widenTotal,
} from '../../../../src/observe/bars/layout.ts'
import { displayWidth } from '../../../../src/observe/format.ts'

const plain = new Chalk({ level: 0 })

function row(name: string, changes: Partial<RowView> = {}): RowView {
  return {
    labelWidth: displayWidth(name),
    label: (width) => fitLabel(name, width),
    fraction: 0.74,
    percent: '74 %',
    size: '60.1/81.2 MB',
    rate: '41.0 MB/s',
    remaining: '0:01',
    tail: '',
    ...changes,
  }
}

const long = row('interview-long.wav', {
  fraction: 0.31,
  percent: '31 %',
  size: '0.7/2.1 GB',
  rate: '88.3 MB/s',
  remaining: '0:16',
  tail: 'part 84/262',
})
const total: TotalView = {
  ...row('total', {
    fraction: 0.57,
    percent: '57 %',
    size: '1.8/3.2 GB',
    rate: '312 MB/s',
    remaining: '0:05',
    tail: '2 retries',
  }),
  files: '122/214 files',
}

function picture(width: number, rows: readonly RowView[] = [row('take-0007.wav'), long], last = total): string[] {
  const wants = createWants()
  for (const view of rows) widen(wants, view)
  widenTotal(wants, last, plain)
  const grid = chooseGrid(width, wants)
  return [...rows.map((view) => layoutRow(view, grid, width, plain)), layoutTotal(last, grid, width, plain)]
}

const bar = (full: number): string => '█'.repeat(full) + '░'.repeat(40 - full)

describe('layout', () => {
  it('has room for everything at 105 columns', () => {
    expect(picture(105)).toEqual([
      ' take-0007.wav       ██████████████░░░░░   74 %   60.1/81.2 MB   41.0 MB/s  0:01',
      ' interview-long.wav  █████░░░░░░░░░░░░░░   31 %   0.7/2.1 GB     88.3 MB/s  0:16   part 84/262',
      ' total               ██████████░░░░░░░░░   57 %   122/214 files  1.8/3.2 GB    312 MB/s  0:05   2 retries',
    ])
  })

  it('has longer bars and names where there is room', () => {
    expect(picture(199, [row('a/long/path/to/some/recording/interview-long.wav'), long])).toEqual([
      ` a/long/path/to/some/recording/interview-long.wav  ${bar(29)}   74 %   60.1/81.2 MB   41.0 MB/s  0:01`,
      ` interview-long.wav                                ${bar(12)}   31 %   0.7/2.1 GB     88.3 MB/s  0:16   part 84/262`,
      ` total                                             ${bar(22)}   57 %   122/214 files  1.8/3.2 GB    312 MB/s  0:05   2 retries`,
    ])
  })

  it('folds the number of files into the label where the total does not fit', () => {
    expect(picture(79)).toEqual([
      ' take-0007.wav       ██████████████░░░░░░   74 %  60.1/81.2 MB  41.0 MB/s  0:01',
      ' interview-long.wav  ██████░░░░░░░░░░░░░░   31 %  0.7/2.1 GB    88.3 MB/s  0:16',
      ' total  122/214 files  2 retries  ███░░░░   57 %  1.8/3.2 GB     312 MB/s  0:05',
    ])
  })

  it('cuts no number of files while there is room, whatever the rows beside it say', () => {
    const large = row('large.bin', { percent: '30 %', size: '0.3/1.1 GB', tail: 'part 39/128' })
    const many = { ...total, percent: '30 %', size: '325.0/~999.4 MB', rate: '60.2 MB/s', remaining: '0:11' }
    for (const [files, tail] of [
      ['    4/2,001 files', ''],
      ['2,000/~2,001 files', ''],
      ['2,000/~2,001 files', '2 retries'],
      ['2,000/~2,001 files', '1,002 retries'],
    ] as const) {
      const [, below] = picture(80, [large], { ...many, files, tail })
      expect(below).toContain(` total  ${files}  `)
      expect(below).toContain('325.0/~999.4 MB  60.2 MB/s  0:11')
      expect(displayWidth(below ?? '')).toBeLessThanOrEqual(80)
    }
    expect(picture(80, [large], { ...many, files: '2,000/~2,001 files', tail: '' })).toEqual([
      ' large.bin     ████████░░░   30 %  0.3/1.1 GB       41.0 MB/s  0:01  part 39/128',
      ' total  2,000/~2,001 files     30 %  325.0/~999.4 MB  60.2 MB/s  0:11',
    ])
  })

  it('drops parts first, then rate, then remaining time, then sizes', () => {
    expect([90, 79, 65, 54, 40, 20].map((width) => picture(width)[1])).toEqual([
      ' interview-long.wav  █████░░░░░░░░░░░░░   31 %  0.7/2.1 GB    88.3 MB/s  0:16  part 84/262',
      ' interview-long.wav  ██████░░░░░░░░░░░░░░   31 %  0.7/2.1 GB    88.3 MB/s  0:16',
      ' interview-long.wav  █████░░░░░░░░░░░░   31 %  0.7/2.1 GB    0:16',
      ' interview-long.wav  ███░░░░░░░░░   31 %  0.7/2.1 GB',
      ' interview-long.wav  ███░░░░░░░░░   31 %',
      ' in…av  █░░░░   31 %',
    ])
  })

  it('notes an outcome or a pause in place of rate and remaining time, shortly where those are short', () => {
    const waiting = row('a.wav', { note: { text: 'retry in 0:03', short: 'wait', tone: 'warn' }, tail: 'part 1/9' })
    expect(picture(105, [waiting, long])[0]).toContain('60.1/81.2 MB   retry in 0:03     part 1/9')
    expect(picture(65, [waiting, long])[0]).toMatch(/60\.1\/81\.2 MB {2}wait$/)
  })

  it('colours without changing a character', () => {
    const views = [row('take-0007.wav', { note: { text: 'done', short: 'done', tone: 'good' } }), long]
    const wants = createWants()
    for (const view of views) widen(wants, view)
    widenTotal(wants, total, plain)
    const grid = chooseGrid(99, wants)
    const colored = new Chalk({ level: 1 })
    for (const view of views) {
      const line = layoutRow(view, grid, 99, colored)
      expect(line).toContain('\x1b[36m█')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
      expect(line.replace(/\x1b\[\d+m/g, '').trimEnd()).toBe(layoutRow(view, grid, 99, plain))
    }
    expect(layoutTotal(total, grid, 120, colored)).toContain('\x1b[33m   2 retries\x1b[39m')
  })

  it('cuts no name of usual length for the sake of parts', () => {
    for (let width = 81; width < 100; width += 1) {
      const line = picture(width)[1]
      expect(line).toContain('part 84/262')
      expect(line).toContain('interview-long.wav  █')
    }
  })

  it('stays within the terminal at any width', () => {
    const rows = [
      row('👨‍👩‍👧‍👦 family 録音テスト東京スタジオ第三回目.wav'),
      row('a/very/deep/folder/structure/that/goes/on/'.repeat(4)),
      row('x', { note: { text: 'retry in 1:02:03', short: 'wait', tone: 'warn' }, tail: 'part 9999/10000' }),
      row('y', { fraction: undefined, percent: '', size: '12.3 MB', rate: '', remaining: '' }),
      long,
    ]
    const huge = { ...total, files: '  999,999/~1,000,000 files', percent: '~57 %', size: '999.9/~999.9 TB' }
    for (let width = 1; width <= 250; width += width < 130 ? 1 : 17) {
      for (const line of picture(width, rows, huge)) expect(displayWidth(line)).toBeLessThanOrEqual(width)
    }
  })
})
