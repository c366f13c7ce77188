import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface DnsTarget {
  readonly port: number
  /** `xmpp-server` or `xmpp-client`, `xmpps-client`. */
  readonly service: string
}

export interface DnsResponder extends AsyncDisposable {
  readonly port: number
  stop(): Promise<void>
}

const SRV = 33
const NOT_FOUND = 3

/** A DNS responder on loopback that knows only SRV records, and whose targets are the address 127.0.0.1 itself. */
export async function startDns(find: (name: string, service: string) => number | undefined): Promise<DnsResponder> {
  const socket = createSocket('udp4')
  socket.on('message', (query, sender) => {
    const answer = answerQuery(query, find)
    if (answer) socket.send(answer, sender.port, sender.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const stop = async () => {
    socket.close()
    await once(socket, 'close')
  }
  return { port: socket.address().port, stop, [Symbol.asyncDispose]: stop }
}

function answerQuery(query: Buffer, find: (name: string, service: string) => number | undefined): Buffer | undefined {
  const labels: string[] = []
  let at = 12
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size).toLowerCase())
    at += 1 + size
  }
  if (query.length < at + 5) return undefined
  const question = query.subarray(12, at + 5)
  const [service, , ...name] = labels
  const isSrv = query.readUInt16BE(at + 1) === SRV
  const port = isSrv ? find(name.join('.'), (service ?? '').replace(/^_/, '')) : undefined
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  // Erlang drops an answer that does not repeat the wish for recursion.
  const flags = 0x8480 | (query.readUInt16BE(2) & 0x0100)
  header.writeUInt16BE(port === undefined ? flags | NOT_FOUND : flags, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(port === undefined ? 0 : 1, 6)
  return Buffer.concat([header, question, ...(port === undefined ? [] : [writeSrv(port)])])
}

function writeSrv(port: number): Buffer {
  const target = Buffer.from('\x03127\x010\x010\x011\0', 'latin1')
  const record = Buffer.alloc(18)
  // The name, by reference to the question; type, class, seconds to live, length; priority, weight, port.
  for (const [index, value] of [0xc00c, SRV, 1, 0, 60, 6 + target.length, 0, 5, port].entries()) {
    record.writeUInt16BE(value, index * 2)
  }
  return Buffer.concat([record, target])
}
