/** What this room uses of the library, which has no types of its own. */
declare module '@xmpp/client' {
  import type { EventEmitter } from 'node:events'
  import type { Element } from 'ltx'

  interface Connection extends EventEmitter {
    status: string
    socket: (EventEmitter & { secure?: boolean; socket?: unknown; destroy?: () => void; end: () => void }) | null
    parser: { write(text: string): void } | null
    root: Element | null
    Transport: unknown
    Parser: unknown
    connect(service: string): Promise<void>
    open(options: { domain: string; lang?: string }): Promise<Element>
    restart(): Promise<Element>
    stop(): Promise<unknown>
    write(text: string): Promise<void>
    footer(element: unknown): string
    footerElement(): unknown
    isSecure(): boolean
    socketParameters(service: string): unknown
    header(element: Element): string
    _attachSocket(socket: unknown): void
    _detachSocket(): void
    _onData(data: Buffer | string): void
    _onSeeOtherHost(error: Error): void
  }

  export function client(options: { service: string; domain: string; lang?: string }): Connection
}

declare module 'ltx/src/parsers/ltx.js' {
  import type { EventEmitter } from 'node:events'

  export default class SaxParser extends EventEmitter {
    on(event: 'startElement', listener: (name: string, attrs: Record<string, string>) => void): this
    on(event: 'endElement' | 'text', listener: (text: string) => void): this
    write(text: string): void
  }
}
