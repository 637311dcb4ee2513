import type { TemplateFile } from '../../../src/plan/keys/key-tokens.ts'

/** A file for a template, modified on 2025-02-03 at 04:05:06.007, in a run of 2026-11-22 at 07:38:12.009 (UTC). */
export function templateFile(given: Partial<TemplateFile> = {}): TemplateFile {
  return {
    source: 'a.wav',
    index: 1,
    size: 5,
    mtimeMs: Date.UTC(2025, 1, 3, 4, 5, 6, 7),
    sha256: undefined,
    run: { id: '20261122T073812Z-7f3a', startedAtMs: Date.UTC(2026, 10, 22, 7, 38, 12, 9) },
    uuid: (index) => `uuid-${index}`,
    ...given,
  }
}
