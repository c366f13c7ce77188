import type { ThreadPlace } from '#server/store/thread.ts'
import { postPath } from '#shared/paths.ts'
import type { ThreadPagesView } from '#web/views.ts'
import type { AppContext } from '../context.ts'
import { END, type ThreadPage } from './thread-page.ts'

/** From so many comments on, they can also be read by date. */
const LONG = 20

/** The query of a page of a thread, with more: `?comments=2&reply=…`. */
export function writeThreadQuery(
  { isFlat, number }: Pick<ThreadPage, 'isFlat' | 'number'>,
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({
    ...(isFlat ? { view: 'flat' } : {}),
    ...(number > 1 && !isFlat ? { comments: String(number) } : {}),
    ...more,
  })
  return query.size === 0 ? '' : `?${query}`
}

/** The ways to the other pages of a thread, and to its other view. */
export function viewThreadPages(
  { siteDomain }: Pick<AppContext, 'siteDomain'>,
  { address }: ThreadPlace,
  page: ThreadPage,
): ThreadPagesView | undefined {
  if (page.count < LONG && !page.isFlat) return undefined
  const path = postPath({ domain: siteDomain }, address)
  const write = (isFlat: boolean, number: number, more?: Readonly<Record<string, string>>) =>
    `${path}${writeThreadQuery({ isFlat, number }, more)}#comments`
  const { isFlat, number, numbers, older, newer } = page
  if (isFlat) {
    return {
      ...(older && { previousUrl: write(true, 1, { before: older }) }),
      ...(newer && { nextUrl: write(true, 1, { after: newer }), newestUrl: write(true, 1, { before: END }) }),
      treeUrl: write(false, 1),
    }
  }
  return {
    ...(number > 1 && { previousUrl: write(false, number - 1) }),
    ...(number < numbers && { nextUrl: write(false, number + 1), newestUrl: write(true, 1, { before: END }) }),
    ...(numbers > 1 && { number, numbers }),
    flatUrl: write(true, 1),
  }
}
