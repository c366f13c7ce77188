import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { createSlices } from '#server/slices.ts'
import type { StateDb } from '#server/store/database.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { endWatches, findOwnAccess, forgetOwnAccess } from '#server/store/own-access.ts'
import type { NodeConfig, Pubsub, PubsubEvent, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import { type NodeAddress, sameAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import { applyAccess, readAccess } from './access.ts'
import { type LearnDeps, learnOwnAccess } from './learn-access.ts'

/*
 * Where the site account is a contact, nothing but its owner's session tells that a node is open to everybody. Its word
 * counts as long as the site account would hear of a change (`pubsub#notify_config`, XEP-0060 §8.2.5), and for an hour
 * otherwise. Between servers events are lost without anybody noticing: only nodes of the site's own server are watched.
 */

export interface WatchDeps {
  readonly site: Pick<XmppSession, 'readContacts'> & { readonly status: SessionStatus }
  readonly siteDomain: BareJid
}

/** An answer of an owner's session on its way, which says nothing once it may be older than a change. */
export interface Question extends Disposable {
  readonly address: NodeAddress
  isOutdated: boolean
}

const questions = new WeakMap<StateDb, Set<Question>>()

/** Is to be disposed once what was answered is saved. */
export function openQuestion(state: StateDb, address: NodeAddress): Question {
  const open = questions.get(state) ?? new Set()
  questions.set(state, open)
  const question = { address, isOutdated: false, [Symbol.dispose]: () => void open.delete(question) }
  open.add(question)
  return question
}

/** Of one node, or of all. */
function outdate(state: StateDb, address?: NodeAddress): void {
  for (const question of questions.get(state) ?? [])
    if (address === undefined || sameAddress(question.address, address)) question.isOutdated = true
}

/** Reads the configuration of a node by its owner's session, and has every change of it told where only that says who may read it. */
export async function watchNode(
  deps: WatchDeps,
  pubsub: Pick<Pubsub, 'readConfig' | 'configureNode'>,
  node: NodeRow,
): Promise<{ config: NodeConfig; isWatched: boolean }> {
  const { address } = node
  // Before it is read: what changes meanwhile is heard.
  const isHeard = hears(deps, node)
  const config = await pubsub.readConfig(address)
  const isWanted = isHeard && config.access_model === 'open' && config.notify_config !== undefined
  if (!isWanted || isTold(config)) return { config, isWatched: isHeard && isTold(config) }
  try {
    if (!(await deps.site.readContacts?.())?.has(address.service)) return { config, isWatched: false }
    const real = await pubsub.configureNode(address, { notify_config: '1', notify_delete: '1' })
    return { config: real, isWatched: isTold(real) }
  } catch (error) {
    // What was read counts all the same, for its time.
    if (!isAppError(error)) throw error
    return { config, isWatched: false }
  }
}

/** Whether the site account gets what a node tells its subscribers. */
function hears({ site, siteDomain }: WatchDeps, { address, subscription }: NodeRow): boolean {
  return subscription === 'subscribed' && site.status === 'online' && domainOf(address.service) === siteDomain
}

/** Whether an open node tells its subscribers of every change, and of its end. */
function isTold({ access_model, notify_config, notify_delete }: NodeConfig): boolean {
  return access_model === 'open' && [notify_config, notify_delete].every((value) => value === '1' || value === 'true')
}

/** An account's server says that the configuration of a node there has changed, and perhaps how. */
export async function takeChange(
  deps: LearnDeps & WatchDeps,
  { address, config = {} }: Extract<PubsubEvent, { kind: 'configured' }>,
): Promise<void> {
  if (localPart(address.service) === undefined) return
  outdate(deps.state, address)
  const own = await findOwnAccess(deps.state, address)
  const node = await findNode(deps.index, address)
  if (own === undefined || node === undefined) return
  if (config.access_model !== undefined) {
    const isWatched = hears(deps, node) && isTold(config)
    return learnOwnAccess(deps, address, { accessModel: config.access_model, now: deps.clock(), isWatched })
  }
  // What was closed stays so.
  if (own.accessModel === 'open') await takeBack(deps, address)
}

/** The word of its owner about a node counts no more: it is another, or gone. */
export async function takeBack(deps: LearnDeps, address: NodeAddress): Promise<void> {
  if (localPart(address.service) === undefined) return
  outdate(deps.state, address)
  await forgetOwnAccess(deps.state, address.service, address.node)
  await judge(deps, address)
}

/** Changes of a node, or of any, may have been missed. */
export async function missChanges(deps: LearnDeps & { readonly log: Logger }, address?: NodeAddress): Promise<void> {
  outdate(deps.state, address)
  const pause = createSlices()
  for (const each of await endWatches(deps.state, address)) {
    await pause()
    try {
      await judge(deps, each)
    } catch (error) {
      if (!isAppError(error)) throw error
      deps.log.debug(`Who may read ${each.node} of ${each.service} is not known: ${describeError(error)}`)
      deps.indexing?.watch(each)
    }
  }
}

async function judge(deps: LearnDeps, address: NodeAddress): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined || (await readAccess(deps, node)) === 'open') return
  // It may have been deleted while the contacts were asked for.
  const last = await findNode(deps.index, address)
  if (last !== undefined) await applyAccess(deps, last, 'restricted')
}
