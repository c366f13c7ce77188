import { createConnection, createServer, type Socket } from 'node:net'

/** A piece of what passes: 'up' is from the one who connected. False cuts this connection and does not pass it on. */
export type Watch = (piece: Buffer, direction: 'up' | 'down') => boolean

/** What may happen to connections on their way. */
export interface TcpLink {
  /** Ends what is open without a word of XMPP; new connections are welcome. */
  cut(): void
  /** Cuts what is open and refuses new connections until `resume`. */
  pause(): void
  resume(): void
  /** Keeps what is open but passes nothing on until `thaw`: a link that is dead without a word. */
  freeze(): void
  thaw(): void
}

/** A TCP proxy on loopback in front of a port. */
export interface TcpProxy extends TcpLink, AsyncDisposable {
  readonly port: number
  /** Connections that were accepted since the start. */
  readonly accepted: number
  stop(): Promise<void>
}

/** Starts one in front of a port of loopback; `watch` sees all that passes and may cut. */
export async function startProxy(target: number, watch: Watch = () => true): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isPaused = false
  let isFrozen = false
  let accepted = 0
  // COMPAT(Node 24): where sockets are reset (resetAndDestroy), a process may spin for ever once it should end.
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  const server = createServer((client) => {
    accepted += 1
    client.on('error', () => {})
    if (isPaused) return void client.destroy()
    const upstream = createConnection(target, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    const link = (from: Socket, to: Socket, direction: 'up' | 'down') => {
      if (isFrozen) from.pause()
      from.on('data', (piece: Buffer) => {
        if (!watch(piece, direction)) for (const socket of pair) socket.destroy()
        else if (!to.write(piece)) from.pause()
      })
      to.on('drain', () => {
        if (!isFrozen) from.resume()
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
    link(client, upstream, 'up')
    link(upstream, client, 'down')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port')
  const stop = async () => {
    cut()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  const each = (act: (socket: Socket) => void) => {
    for (const pair of pairs) for (const socket of pair) act(socket)
  }
  return {
    port: address.port,
    get accepted() {
      return accepted
    },
    cut,
    pause() {
      isPaused = true
      cut()
    },
    resume() {
      isPaused = false
    },
    freeze() {
      isFrozen = true
      each((socket) => socket.pause())
    },
    thaw() {
      isFrozen = false
      each((socket) => socket.resume())
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Several as one: the two directions between two servers. */
export function joinProxies(proxies: readonly TcpProxy[]): TcpLink {
  const each = (name: keyof TcpLink) => () => {
    for (const proxy of proxies) proxy[name]()
  }
  return { cut: each('cut'), pause: each('pause'), resume: each('resume'), freeze: each('freeze'), thaw: each('thaw') }
}
