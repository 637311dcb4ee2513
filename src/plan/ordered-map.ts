/**
 * Maps an async sequence, yielding results in the order of their items. Up to `atOnce` items are taken and their calls
 * of `map` made together, and the next ones only once those were given: a slow consumer slows the source down.
 *
 * Together, because a call that goes to a sleeping thread of the pool has to wake it, which costs more than what it is
 * to do there; of a burst only the first calls do.
 */
export async function* orderedMap<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  let burst: T[] = []
  for await (const item of items) {
    burst.push(item)
    if (burst.length < atOnce) continue
    for (const result of mapAll(burst, map)) yield await result
    burst = []
  }
  for (const result of mapAll(burst, map)) yield await result
}

function mapAll<T, R>(items: readonly T[], map: (item: T) => Promise<R>): readonly Promise<R>[] {
  return items.map((item) => {
    const result = map(item)
    // Seen to when its turn comes; until then a rejection must not count as unhandled.
    result.catch(() => undefined)
    return result
  })
}
