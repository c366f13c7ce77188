/** Takes the marks of what was read meanwhile off a list that the browser had kept, when somebody comes back to it. */
export function refreshMarks(): void {
  addEventListener('pageshow', ({ persisted }) => {
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
    const isReturn = persisted || entry?.type === 'back_forward'
    if (isReturn && findMarks(document).size > 0) void removeOldMarks()
  })
}

async function removeOldMarks(): Promise<void> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-cache' })
  if (!response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  const fresh = findMarks(page)
  for (const [post, mark] of findMarks(document)) if (!fresh.has(post)) mark.remove()
  if (fresh.size === 0) document.querySelector('form.read')?.remove()
}

/** By the address of the post. */
function findMarks(page: Document): Map<string, Element> {
  const marks = new Map<string, Element>()
  for (const mark of page.querySelectorAll('.posts .new')) {
    const post = mark.closest('article')?.querySelector('a.u-url')?.getAttribute('href')
    if (post != null) marks.set(post, mark)
  }
  return marks
}
