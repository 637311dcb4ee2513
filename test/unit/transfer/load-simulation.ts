import { type ConcurrencyChange, createConcurrencyController } from '../../../src/transfer/pace/concurrency.ts'
import { createRefusals } from '../../../src/transfer/pace/refusals.ts'
import { createRequestRate } from '../../../src/transfer/pace/request-rate.ts'
import { backoffMs } from '../../../src/transfer/trouble/backoff.ts'
import { seededRandom } from '../../support/fake-clock.ts'

const patience = { retryDelayMs: 200, retryMaxDelayMs: 30_000 }

/** A server, as those who send to it see it. */
export interface ServerModel {
  /** Milliseconds of an answer, where nothing is in the way. */
  readonly latencyMs: number
  /** How much longer it takes with so many in flight. */
  readonly slowdown?: (inFlight: number) => number
  /** Requests a second it works off, one after the other, at this time. */
  readonly capacity?: (nowMs: number) => number
  /** Requests a second beyond which it refuses, and how many it lets through at once. */
  readonly refusesAbove?: { readonly perSecond: (nowMs: number) => number; readonly burst: number }
  /** Requests in flight beyond which it refuses. */
  readonly refusesBeyond?: number
  /** The share it refuses at random. */
  readonly refusesShare?: number
}

export interface LoadModel {
  readonly server: ServerModel
  /** Milliseconds of the sender's own work for each request, one after the other. */
  readonly ownMs?: number
  /** Requests there are to send; endless if left out. */
  readonly requests?: number
  /** Requests a second that the source of the work comes up with; endless if left out. */
  readonly foundPerSecond?: number
  /** Bytes of each request. */
  readonly size?: number
  readonly seconds: number
}

export interface LoadResult {
  /** Accepted requests, in all and in each second. */
  readonly accepted: number
  readonly acceptedBySecond: readonly number[]
  readonly refusedBySecond: readonly number[]
  readonly changes: readonly (ConcurrencyChange & { readonly atMs: number })[]
  readonly limit: number
  readonly mostInFlight: number
}

/** Runs a load in virtual time, with as many in flight as is said, or as `auto` decides. */
export function simulate(model: LoadModel, concurrency: number | 'auto', seed = 1): LoadResult {
  const { server, ownMs = 0, size = 1000, requests = Number.POSITIVE_INFINITY } = model
  const random = seededRandom(seed)
  const events = createTimeline()
  const endMs = model.seconds * 1000
  const changes: (ConcurrencyChange & { atMs: number })[] = []
  const acceptedBySecond = Array.from({ length: model.seconds }, () => 0)
  const refusedBySecond = Array.from({ length: model.seconds }, () => 0)
  let nowMs = 0
  let busyMs = 0
  let senderFreeMs = 0
  let serverFreeMs = 0
  let tokens = server.refusesAbove?.burst ?? 0
  let tokensAtMs = 0
  let atServer = 0
  let taken = 0
  let mostInFlight = 0
  let begun = 0
  let hasWaiter = false
  let isHeldBack = false

  const rate = createRequestRate(
    () => nowMs,
    () => {},
  )
  const controller = createConcurrencyController({
    now: () => nowMs,
    busyMs: () => busyMs,
    rate,
    onChange: (change) => void changes.push({ ...change, atMs: nowMs }),
  })
  const refusals = createRefusals(() => nowMs)
  const answered = (beganMs: number, isRefused: boolean): void => {
    const share = refusals.answered(beganMs, isRefused)
    if (share === undefined) return
    if (!rate.isBinding) controller.throttled()
    rate.cut(share)
  }
  const limit = (): number => (concurrency === 'auto' ? controller.limit : concurrency)
  const waitMs = (): number => (concurrency === 'auto' ? rate.waitMs() : 0)

  const isRefused = (): boolean => {
    if (server.refusesBeyond !== undefined && atServer > server.refusesBeyond) return true
    if (server.refusesShare !== undefined && random() < server.refusesShare) return true
    if (server.refusesAbove === undefined) return false
    const { perSecond, burst } = server.refusesAbove
    tokens = Math.min(burst, tokens + ((nowMs - tokensAtMs) * perSecond(nowMs)) / 1000)
    tokensAtMs = nowMs
    if (tokens < 1) return true
    tokens -= 1
    return false
  }
  const arrive = (answer: (isAccepted: boolean) => void): void => {
    atServer += 1
    mostInFlight = Math.max(mostInFlight, atServer)
    const isAccepted = !isRefused()
    let doneMs = nowMs
    if (isAccepted && server.capacity !== undefined) {
      serverFreeMs = Math.max(serverFreeMs, nowMs) + 1000 / server.capacity(nowMs)
      doneMs = serverFreeMs
    }
    const slowdown = server.slowdown?.(atServer) ?? 1
    const latencyMs = server.latencyMs * slowdown * (0.9 + 0.2 * random())
    events.at(doneMs + latencyMs, () => {
      atServer -= 1
      answer(isAccepted)
    })
  }
  const send = (failures: number): void => {
    const beganMs = nowMs
    senderFreeMs = Math.max(senderFreeMs, nowMs) + ownMs
    busyMs += ownMs
    events.at(senderFreeMs, () =>
      arrive((isAccepted) => {
        const second = Math.floor(nowMs / 1000)
        const counts = isAccepted ? acceptedBySecond : refusedBySecond
        counts[second] = (counts[second] ?? 0) + 1
        if (isAccepted) {
          controller.completed(size)
          rate.accepted()
          answered(beganMs, false)
          taken -= 1
          startMore()
        } else {
          answered(beganMs, true)
          events.at(nowMs + backoffMs(failures + 1, patience, random()), () => resend(failures + 1))
        }
      }),
    )
  }
  const resend = (failures: number): void => {
    const ms = waitMs()
    if (ms > 0) {
      events.at(nowMs + ms, () => resend(failures))
    } else {
      rate.take()
      send(failures)
    }
  }
  const startMore = (): void => {
    while (
      !isHeldBack &&
      begun < Math.min(requests, ((model.foundPerSecond ?? Number.POSITIVE_INFINITY) * nowMs) / 1000)
    ) {
      if (taken >= limit()) {
        if (!hasWaiter) controller.waited()
        hasWaiter = true
        return
      }
      hasWaiter = false
      const ms = waitMs()
      if (ms > 0) {
        isHeldBack = true
        events.at(nowMs + ms, () => {
          isHeldBack = false
          startMore()
        })
        return
      }
      rate.take()
      taken += 1
      begun += 1
      send(0)
    }
  }

  const findMore = (): void => {
    startMore()
    events.at(nowMs + 1, findMore)
  }
  findMore()
  for (let next = events.next(); next !== undefined && next.atMs < endMs; next = events.next()) {
    nowMs = next.atMs
    next.act()
  }
  const accepted = acceptedBySecond.reduce((sum, each) => sum + each, 0)
  return { accepted, acceptedBySecond, refusedBySecond, changes, limit: limit(), mostInFlight }
}

interface Happening {
  readonly atMs: number
  readonly order: number
  readonly act: () => void
}

/** What is to happen, by time (a binary heap). */
function createTimeline() {
  const heap: Happening[] = []
  let order = 0
  const isBefore = (a: number, b: number): boolean => {
    const [x, y] = [heap[a] as Happening, heap[b] as Happening]
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order)
  }
  const swap = (a: number, b: number): void => {
    const kept = heap[a] as Happening
    heap[a] = heap[b] as Happening
    heap[b] = kept
  }
  return {
    at(atMs: number, act: () => void) {
      order += 1
      heap.push({ atMs, order, act })
      for (let n = heap.length - 1; n > 0; ) {
        const parent = (n - 1) >> 1
        if (!isBefore(n, parent)) break
        swap(n, parent)
        n = parent
      }
    },
    next(): Happening | undefined {
      const first = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return first
      heap[0] = last
      for (let n = 0; ; ) {
        let least = n
        for (const child of [2 * n + 1, 2 * n + 2]) if (child < heap.length && isBefore(child, least)) least = child
        if (least === n) break
        swap(n, least)
        n = least
      }
      return first
    },
  }
}
