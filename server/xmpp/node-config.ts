import { setTimeout as sleep } from 'node:timers/promises'
import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { findForm, readForm, writeForm } from './data-form.ts'
import { stanzaErrorOf } from './errors.ts'
import type { NodeConfig } from './ports.ts'
import type { Ask } from './requests.ts'

const PREFIX = 'pubsub#'
const MOST_COLLISIONS = 3
const COLLISION_MS = 100
/** Tried in this order where `max` is refused. */
const ITEM_LIMITS = ['20000', '10000', '1000', '256', '100']

/** Who asks, and how an address is put into `to`. */
export interface NodeDeps {
  readonly ask: Ask
  /** Undefined for the account itself. */
  readonly to: (address: NodeAddress) => string | undefined
}

/** Creates a node with its configuration; where the service refuses parts of that, without them. */
export async function createNode(
  deps: NodeDeps,
  address: NodeAddress,
  config: NodeConfig,
): Promise<'created' | 'exists'> {
  try {
    await withAcceptedFields(config, async (fields) => {
      const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
      pubsub.c('create', { node: address.node })
      if (Object.keys(fields).length > 0) pubsub.c('configure').cnode(writeConfig(fields))
      await deps.ask('set', deps.to(address), pubsub)
    })
    return 'created'
  } catch (error) {
    if (isAppError(error, 'conflict')) return 'exists'
    throw error
  }
}

/** The configuration of a node as its service tells its owner. */
export async function readConfig(deps: NodeDeps, address: NodeAddress): Promise<NodeConfig> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB_OWNER })
  pubsub.c('configure', { node: address.node })
  const answer = await deps.ask('get', deps.to(address), pubsub)
  return readConfigFields(answer.getChild('pubsub', NS.PUBSUB_OWNER)?.getChild('configure')) ?? {}
}

/** The fields of the form in an element; undefined where it has none. */
export function readConfigFields(element: Element | undefined): NodeConfig | undefined {
  const form = findForm(element)
  if (form === undefined) return undefined
  const config: Record<string, string> = {}
  for (const [name, field] of readForm(form)) {
    if (!name.startsWith(PREFIX)) continue
    config[name.slice(PREFIX.length)] = normalise(field.values.join('\n'), field.type)
  }
  return config
}

/** Sets what the service takes of `wanted`, and returns what the node then really has. */
export async function configureNode(deps: NodeDeps, address: NodeAddress, wanted: NodeConfig): Promise<NodeConfig> {
  await withAcceptedFields(wanted, async (fields) => {
    const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB_OWNER })
    pubsub.c('configure', { node: address.node }).cnode(writeConfig(fields))
    await deps.ask('set', deps.to(address), pubsub)
  })
  return readConfig(deps, address)
}

// ejabberd fails the whole request on one field it does not know, Prosody on one value it does not take, and both name
// it in the text of the error. So what they name is changed or left out, and the rest tried again.
async function withAcceptedFields(config: NodeConfig, attempt: (fields: NodeConfig) => Promise<void>): Promise<void> {
  const fields = { ...config }
  const limits = [...ITEM_LIMITS]
  let collisions = 0
  for (let tries = Object.keys(config).length + limits.length; ; tries--) {
    try {
      return await attempt(fields)
    } catch (error) {
      if (isCollision(error) && collisions < MOST_COLLISIONS) {
        collisions++
        await sleep(COLLISION_MS * (1 + Math.random()))
        continue
      }
      const refused = findRefused(error, Object.keys(fields))
      if (refused === undefined || tries <= 0) throw error
      const limit = refused === 'max_items' ? limits.shift() : undefined
      if (limit === undefined) delete fields[refused]
      else fields[refused] = limit
    }
  }
}

// COMPAT(ejabberd 24.12): of two changes of nodes that meet in Mnesia one fails, with nothing done.
function isCollision(error: unknown): boolean {
  return stanzaErrorOf(error)?.condition === 'internal-server-error'
}

/** The field that an answer refuses, if it is about one of `fields`. */
function findRefused(error: unknown, fields: readonly string[]): string | undefined {
  const detail = stanzaErrorOf(error)
  if (detail === undefined || !(error instanceof AppError)) return undefined
  if (!['resource-constraint', 'bad-request', 'not-acceptable', 'conflict'].includes(detail.condition)) return undefined
  // ejabberd writes the whole name somewhere, Prosody begins with it but for the prefix.
  const isNamed = (field: string) => detail.text.includes(PREFIX + field) || detail.text.startsWith(`${field}:`)
  return fields.toSorted((a, b) => b.length - a.length).find(isNamed)
}

function writeConfig(fields: NodeConfig): Element {
  return writeForm(
    NS.PUBSUB_NODE_CONFIG,
    Object.entries(fields).map(([name, value]) => [PREFIX + name, value] as const),
  )
}

function normalise(value: string, type: string | undefined): string {
  if (type !== undefined && type !== 'boolean') return value
  return value === 'true' ? '1' : value === 'false' ? '0' : value
}
