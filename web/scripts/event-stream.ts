const FIRST_MS = 2_000
const MOST_MS = 5 * 60_000

/**
 * Holds a stream of server-sent events until the returned function is called. After a broken line the browser connects again by
 * itself; after an HTTP error, such as the 502 of a proxy while the site restarts, it gives up for good (HTML, server-sent
 * events), so it is asked again here, less and less often.
 */
export function holdStream(url: string, listeners: Readonly<Record<string, (data: string) => void>>): () => void {
  let failures = 0
  let stop = () => {}

  function open(): void {
    const events = new EventSource(url)
    stop = () => events.close()
    events.addEventListener('open', () => {
      failures = 0
    })
    events.addEventListener('error', () => {
      if (events.readyState !== EventSource.CLOSED) return
      const timer = setTimeout(open, waitAfter(failures++))
      stop = () => clearTimeout(timer)
    })
    for (const [name, listener] of Object.entries(listeners)) {
      events.addEventListener(name, ({ data }: MessageEvent<string>) => listener(data))
    }
  }

  open()
  return () => stop()
}

/** Up to a quarter longer: not all the pages of a site ask at once. */
function waitAfter(failures: number): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** failures) * (1 + Math.random() / 4)
}
