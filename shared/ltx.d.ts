declare module 'ltx' {
  export type Node = Element | string

  export class Element {
    constructor(name: string, attrs?: Record<string, string | undefined> | string)
    name: string
    parent: Element | null
    children: Node[]
    attrs: Record<string, string | undefined>
    is(name: string, xmlns?: string): boolean
    getName(): string
    getNS(): string | undefined
    findNS(prefix?: string): string | undefined
    getAttr(name: string, xmlns?: string): string | null | undefined
    getChild(name: string, xmlns?: string): Element | undefined
    getChildren(name: string, xmlns?: string): Element[]
    getChildElements(): Element[]
    getChildText(name: string, xmlns?: string): string | null
    getText(): string
    text(): string
    root(): Element
    up(): Element
    c(name: string, attrs?: Record<string, string | undefined>): Element
    cnode(child: Element): Element
    append(...nodes: Node[]): void
    prepend(...nodes: Node[]): void
    t(text: string): this
    remove(child: Element | string, xmlns?: string): this
    attr(name: string): string | undefined
    toString(): string
  }

  export class Parser {
    constructor(options?: object)
    on(event: 'tree', listener: (tree: Element) => void): this
    on(event: 'error', listener: (error: Error) => void): this
    on(event: string, listener: (...args: unknown[]) => void): this
    write(data: string): void
    end(data?: string): void
  }

  export function parse(data: string): Element
  export function escapeXML(text: string): string
  export function escapeXMLText(text: string): string
  export function unescapeXML(text: string): string
}
