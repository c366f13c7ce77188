import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openState, type StateDb } from '#server/store/database.ts'
import {
  addNotifications,
  countUnread,
  listNotifications,
  listUnsent,
  listWhoHeard,
  markNotificationsRead,
  type NewNotification,
  pruneNotifications,
  saveNotifiesByMessage,
} from '#server/store/notification.ts'
import { asItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'

const juliet = 'juliet@capulet.example' as BareJid
const romeo = 'romeo@montague.example' as BareJid

function note(n: number, more: Partial<NewNotification> = {}): NewNotification {
  const at = new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString()
  return {
    ...{ jid: juliet, kind: 'comment', service: juliet, node: `${NS.COMMENTS_PREFIX}a`, item: asItemId(`c${n}`) },
    ...{ actor: romeo, text: `Comment ${n}`, at },
    ...more,
  }
}

async function withState(work: (state: StateDb) => Promise<void>): Promise<void> {
  const state = await openState(':memory:')
  try {
    await work(state)
  } finally {
    await state.destroy()
  }
}

describe('notifications in the state', () => {
  it('are added once, however often they are told', () =>
    withState(async (state) => {
      assert.equal((await addNotifications(state, [note(1), note(2)])).length, 2)
      assert.equal((await addNotifications(state, [note(2), note(3)])).length, 1)
      assert.deepEqual(
        (await listNotifications(state, juliet, { limit: 10 })).map(({ item }) => item),
        ['c3', 'c2', 'c1'],
      )
      assert.ok((await listWhoHeard(state, { ...note(1), item: asItemId('c1') })).has(juliet))
    }))

  it('page by place, also where many came at once', () =>
    withState(async (state) => {
      const at = new Date(0).toISOString()
      await addNotifications(
        state,
        Array.from({ length: 25 }, (_, n) => note(n, { at })),
      )
      const seen: string[] = []
      for (let before: { at: string; id: number } | undefined; ; ) {
        const page = await listNotifications(state, juliet, { before, limit: 10 })
        seen.push(...page.map(({ item }) => item))
        before = page.at(-1)
        if (page.length < 10) break
      }
      assert.equal(new Set(seen).size, 25)
      assert.equal(seen.length, 25)
    }))

  it('are read until what was shown, and no further', () =>
    withState(async (state) => {
      await addNotifications(state, [note(1), note(2), note(3)])
      const [, second] = await listNotifications(state, juliet, { limit: 2 })
      assert.ok(second)
      assert.equal(await markNotificationsRead(state, juliet, { until: second, now: new Date() }), 2)
      assert.equal(await countUnread(state, juliet, 100), 1)
    }))

  it('are kept so far, and of reactions fewer, so that a burst of them ends no comment', () =>
    withState(async (state) => {
      const reactions = Array.from({ length: 500 }, (_, n) =>
        note(1000 + n, { kind: 'reaction', item: asItemId('p'), actor: `r${n}@x.example` as BareJid, text: '♥' }),
      )
      await addNotifications(state, [note(1), note(2), ...reactions])
      await pruneNotifications(state, juliet, { most: 100, mostOfBurst: 99 })
      const rows = await listNotifications(state, juliet, { limit: 1_000 })
      assert.equal(rows.length, 100)
      assert.equal(rows.filter(({ kind }) => kind === 'comment').length, 1)
      assert.equal(rows[0]?.actor, 'r499@x.example')
    }))

  it('count no further than asked', () =>
    withState(async (state) => {
      await addNotifications(
        state,
        Array.from({ length: 300 }, (_, n) => note(n)),
      )
      assert.equal(await countUnread(state, juliet, 100), 100)
    }))

  it('of before the wish for messages are never sent', () =>
    withState(async (state) => {
      await addNotifications(state, [note(1)])
      await saveNotifiesByMessage(state, juliet, true, new Date())
      await addNotifications(state, [note(2)])
      assert.deepEqual(
        (await listUnsent(state, juliet, 10)).map(({ item }) => item),
        ['c2'],
      )
    }))
})
