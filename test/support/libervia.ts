import { execFile } from 'node:child_process'

/** What Libervia made of an item; `rejected` has its reason when it dropped the item. */
export interface LiberviaReading {
  readonly rejected?: string
  readonly title?: string
  readonly content?: string
  readonly content_xhtml?: string
  readonly author?: string
  readonly author_jid_verified?: boolean
  readonly tags?: readonly string[]
  readonly language?: string
  readonly comments?: readonly { readonly service: string; readonly node: string }[]
}

/** Has Libervia's own parser (Debian's `libervia-backend`) read a pubsub `<item/>`. */
export function readWithLibervia(item: string, service: string, node: string): Promise<LiberviaReading> {
  const script = new URL('./libervia-parse.py', import.meta.url).pathname
  return new Promise((resolve, reject) => {
    const child = execFile('/usr/bin/python3', [script, service, node], (error, stdout) => {
      const last = stdout.trim().split('\n').at(-1) ?? ''
      if (error !== null || last === '') reject(error ?? new Error('Libervia printed nothing'))
      else resolve(JSON.parse(last))
    })
    child.stdin?.end(item)
  })
}
