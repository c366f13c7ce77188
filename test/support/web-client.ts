/** A browser without scripts over real HTTP: it keeps cookies and sends forms with their hidden fields. */
export interface WebClient {
  get(path: string): Promise<Response>
  /** Fills in and sends the form of `page` (a path, or the HTML itself) that goes to `action`. */
  submit(page: string, action: string, fields: Record<string, string>): Promise<Response>
  signIn(jid: string, password: string): Promise<void>
}

/** Redirects are not followed: a test looks at them. */
export function createWebClient(url: () => string): WebClient {
  const cookies = new Map<string, string>()

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(new URL(path, url()), {
      ...init,
      redirect: 'manual',
      headers: { ...(cookie === '' ? {} : { cookie }), ...init.headers },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  async function load(page: string): Promise<string> {
    const answer = await send(page)
    const { searchParams, pathname, search } = new URL(answer.headers.get('location') ?? page, url())
    // A new form is asked for by an address of its own.
    return (searchParams.has('form') ? await send(pathname + search) : answer).text()
  }

  async function submit(page: string, action: string, fields: Record<string, string>): Promise<Response> {
    const html = page.startsWith('<') ? page : await load(page)
    const form = html.match(/<form[^>]*>[\s\S]*?<\/form>/g)?.find((text) => text.includes(`action="${action}"`))
    if (form === undefined) throw new Error(`${page} has no form to ${action}:\n${html}`)
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = new URLSearchParams({
      ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])),
      ...fields,
    })
    return send(action, { method: 'POST', body })
  }

  return {
    get: (path) => send(path),
    submit,
    async signIn(jid, password) {
      const answer = await submit('/signin', '/signin', { jid, password })
      if (answer.status !== 303) throw new Error(`${jid} could not sign in: ${answer.status} ${await answer.text()}`)
    },
  }
}
