/**
 * How many objects go on one page: few at first, more as more come. Pure.
 *
 * A page is done by one runner, which its hash chooses. Few pages spread unevenly, and all wait for the runner that has most of
 * them: of n pages over two or three runners the fullest has about 0.4 · √n too many. Many pages cost messages, one for each. So pages
 * grow with what came before them: a batch of 1,000 has 400 of 2 to 4 objects, one of a million 10,947, most of 100. It depends
 * on nothing else, so that the same objects in the same order are the same pages.
 */
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const smallest = 2
const largest = 100

/** Objects of the page that comes after so many objects. */
export const sizeAfter = (objects: number): number => Math.min(largest, Math.max(smallest, Math.ceil(objects / 256)))

/** A list, page by page. `pageSize`: as given, not as above. */
export const of = <A>(all: ReadonlyArray<A>, pageSize?: number): ReadonlyArray<ReadonlyArray<A>> => {
  const pages: Array<ReadonlyArray<A>> = []
  for (let at = 0; at < all.length;) {
    const size = pageSize ?? sizeAfter(at)
    pages.push(all.slice(at, at + size))
    at += size
  }
  return pages
}

/** A stream, page by page: those of the list that it would be. */
export const ofStream = <A, E, R>(
  all: Stream.Stream<A, E, R>,
  pageSize?: number
): Stream.Stream<ReadonlyArray<A>, E, R> =>
  all.pipe(
    Stream.map(Option.some),
    Stream.concat(Stream.succeed(Option.none<A>())),
    Stream.mapAccum({ before: 0, page: [] as ReadonlyArray<A> }, ({ before, page }, next) => {
      const grown = Option.match(next, { onNone: () => page, onSome: (one) => [...page, one] })
      return Option.isSome(next) && grown.length < (pageSize ?? sizeAfter(before))
        ? [{ before, page: grown }, []]
        : [{ before: before + grown.length, page: [] }, grown]
    }),
    Stream.filter((page) => page.length > 0)
  )
