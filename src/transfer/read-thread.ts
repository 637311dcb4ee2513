import { Worker } from 'node:worker_threads'
import type { ReadWorker, ReadWorkerListeners } from './small-reader.ts'
import { readStates, type ServeOptions, type SharedMemory, serveReads } from './small-reader-worker.ts'

/** A heap for paths and numbers; what is read lies outside. */
const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 }

/** Starts a thread that reads. It keeps the process from ending only while it has something to read. */
export function startReadThread(memory: SharedMemory, { answer, gone }: ReadWorkerListeners): ReadWorker {
  const workerData: ServeOptions = { ...memory, readStates }
  // Its code as text: then there is no file to be found, neither beside a bundle nor beside the sources.
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    (${serveReads})(parentPort, require('node:fs'), workerData)`
  const thread = new Worker(code, { eval: true, workerData, resourceLimits, execArgv: [] })
  thread.on('message', (elapsedMs: number) => {
    thread.unref()
    answer(elapsedMs)
  })
  // It ends then, which is told.
  thread.on('error', () => {})
  thread.on('exit', gone)
  return {
    post(reads) {
      thread.ref()
      thread.postMessage(reads)
    },
    end() {
      void thread.terminate()
      thread.unref()
    },
  }
}
