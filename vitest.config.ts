import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const seconds = 1000

/**
 * Kinds of tests (folders of test/), and how long one test of a kind may take: many times what it needs, since a busy
 * machine takes as much longer. They end what hangs, and measure nothing.
 */
const kinds = {
  unit: 20 * seconds,
  contract: 60 * seconds,
  fault: 60 * seconds,
  e2e: 60 * seconds,
  real: 120 * seconds,
  full: 600 * seconds,
  endurance: 1800 * seconds,
}

const all = { lines: 100, branches: 100 }

export default defineConfig({
  test: {
    // Vitest would leave a core free. Most tests wait for a program or a server they started.
    maxWorkers: availableParallelism(),
    env: {
      // The bundle has this built in; the tests run from source.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      // Loopback only: no credentials from the cloud a test happens to run in.
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    projects: Object.entries(kinds).map(([name, timeout]) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout: timeout,
        hookTimeout: Math.max(timeout, 30 * seconds),
        // These measure time and memory: one at a time.
        fileParallelism: name !== 'full' && name !== 'endurance',
      },
    })),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: [['text', { skipFull: true }], 'html'],
      thresholds: {
        lines: 90,
        branches: 90,
        'src/plan/**': all,
        'src/config/**': all,
        'src/transfer/trouble/retry.ts': all,
        'src/transfer/trouble/backoff.ts': all,
      },
    },
  },
})
