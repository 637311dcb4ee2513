/**
 * Maps an async sequence with up to `atOnce` calls of `map` under way, yielding results in the order of their items.
 * Reads no further ahead than that, so a slow consumer slows the source down.
 */
export async function* orderedMap<T, R>(
  items: AsyncIterable<T>,
  atOnce: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = []
  for await (const item of items) {
    const result = map(item)
    // Seen to when its turn comes; until then a rejection must not count as unhandled.
    result.catch(() => undefined)
    underWay.push(result)
    if (underWay.length >= atOnce) yield await (underWay.shift() as Promise<R>)
  }
  for (const result of underWay) yield await result
}
