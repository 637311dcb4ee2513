import { afterAll, beforeAll, describe } from 'vitest'
import type { Place, RealServer } from './real-server.ts'
import { realServers, sayWhichServers } from './real-servers.ts'
import { makeWorkspace, type Workspace } from './workspace.ts'

export interface ServerTest {
  readonly server: RealServer
  /** Shared by the tests of one server. */
  readonly ws: Workspace
  /** Calls `use` with an empty place, which is removed again afterwards. */
  readonly withPlace: <T>(use: (place: Place) => Promise<T>) => Promise<T>
}

/** Registers the same tests for every real server there is; the server runs while its tests do. */
export function forEachServer(register: (test: () => ServerTest) => void): void {
  sayWhichServers()
  for (const available of realServers) {
    describe(available.name, () => {
      let test: ServerTest
      let end = async () => {}

      beforeAll(async () => {
        const server = await available.start()
        const ws = await makeWorkspace()
        end = async () => {
          await server.stop()
          await ws.remove()
        }
        const withPlace: ServerTest['withPlace'] = async (use) => {
          const place = await server.place()
          try {
            return await use(place)
          } finally {
            await place.remove()
          }
        }
        test = { server, ws, withPlace }
      })
      afterAll(() => end())

      register(() => test)
    })
  }
}
