import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** `pipelined`: the connection has one already, and would hold any number of them. */
export type LivePlace = 'taken' | 'full' | 'pipelined'

export interface LivePlaces {
  /** Until the stream is closed. */
  take(stream: ServerResponse, network: string): LivePlace
  streams(): Iterable<ServerResponse>
}

/** Which streams are held open, by the networks of their browsers. */
export function createLivePlaces({ most, mostOfNetwork }: { most: number; mostOfNetwork: number }): LivePlaces {
  const streams = new Set<ServerResponse>()
  const sockets = new Set<Socket>()
  const ofNetwork = new Map<string, number>()
  const countOf = (network: string) => ofNetwork.get(network) ?? 0

  function leave(stream: ServerResponse, { socket, network }: { socket: Socket; network: string }): void {
    streams.delete(stream)
    sockets.delete(socket)
    const left = countOf(network) - 1
    if (left > 0) ofNetwork.set(network, left)
    else ofNetwork.delete(network)
  }

  return {
    take(stream, network) {
      const { socket } = stream.req
      if (sockets.has(socket)) return 'pipelined'
      if (streams.size >= most || countOf(network) >= mostOfNetwork) return 'full'
      streams.add(stream)
      sockets.add(socket)
      ofNetwork.set(network, countOf(network) + 1)
      stream.on('close', () => leave(stream, { socket, network }))
      return 'taken'
    },
    streams: () => streams,
  }
}
