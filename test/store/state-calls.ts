import * as account from '#server/store/account.ts'
import * as author from '#server/store/author.ts'
import * as browser from '#server/store/browser-session.ts'
import * as community from '#server/store/community.ts'
import { refreshStatistics, type StateDb } from '#server/store/database.ts'
import * as decision from '#server/store/decision.ts'
import * as draft from '#server/store/draft.ts'
import * as follow from '#server/store/follow.ts'
import * as follower from '#server/store/follower.ts'
import { KEEPS, type KeepName } from '#server/store/keeps.ts'
import * as words from '#server/store/marked-words.ts'
import * as notification from '#server/store/notification.ts'
import * as outbox from '#server/store/outbox.ts'
import * as ownAccess from '#server/store/own-access.ts'
import * as proof from '#server/store/proof.ts'
import * as mark from '#server/store/read-mark.ts'
import * as reader from '#server/store/reader.ts'
import * as report from '#server/store/report.ts'
import * as room from '#server/store/room.ts'
import * as setting from '#server/store/setting.ts'
import * as failure from '#server/store/sign-in-failure.ts'
import * as siteBlock from '#server/store/site-block.ts'
import { forgetOldest, measureKept } from '#server/store/space-left.ts'
import * as threadState from '#server/store/thread-state.ts'
import * as threadWish from '#server/store/thread-wish.ts'
import * as wanted from '#server/store/wanted-node.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { jidOf } from '#test/support/context.ts'
import { ME as MY_JID } from './large-state.ts'

type Call = (state: StateDb) => Promise<unknown>

const ME = jidOf(MY_JID)
const STRANGER = jidOf('romeo@montague.example')
const BLOG: NodeAddress = { service: jidOf('author-7@capulet.example'), node: NS.MICROBLOG }
const POST: ItemAddress = { ...BLOG, item: asItemId('post-67') }
const ROOM = jidOf('room-1@mix.capulet.example')
const NOW = new Date(Date.UTC(2024, 0, 1, 0, 1))
const LATE = new Date(Date.UTC(2030, 0, 1))

/** To the end, part by part. */
async function readAll(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of parts);
}

const peopleCalls: readonly Call[] = [
  refreshStatistics,
  (state) => ownAccess.saveOwnAccess(state, BLOG, { accessModel: 'open', now: NOW }),
  (state) => ownAccess.saveOwnAccess(state, BLOG, { accessModel: 'open', now: NOW, isWatched: true }),
  (state) => ownAccess.findOwnAccess(state, BLOG),
  (state) => ownAccess.endWatches(state, BLOG),
  (state) => ownAccess.endWatches(state),
  (state) =>
    outbox.deleteWaiting(state, { account: ME, address: { ...BLOG, item: asItemId('') }, kind: 'close-thread' }),
  (state) => ownAccess.listReadBefore(state, ME, { before: NOW, limit: 50 }),
  (state) => ownAccess.listReadBetween(state, new Date(NOW.getTime() - 5_000), NOW),
  (state) => ownAccess.forgetOwnAccess(state, ME, NS.MICROBLOG),
  (state) => ownAccess.forgetOwnAccess(state, ME),
  (state) => account.findAccount(state, ME),
  (state) => account.findSince(state, ME),
  (state) => account.saveAccount(state, { jid: ME, userAgentId: 'a', createdAt: NOW }),
  (state) => account.saveAccountName(state, ME, 'Me'),
  (state) => account.listAccountsWithToken(state),
  (state) => readAll(account.listAccountNames(state)),
  (state) => account.listKnownAccounts(state, [ME, STRANGER]),
  (state) => author.addAuthorRow(state, ME, NOW),
  (state) => author.findAuthor(state, ME),
  (state) => author.listAuthorRows(state),
  (state) => author.saveConsent(state, ME, { consent: 'asked' }),
  (state) => author.saveMaxItems(state, ME, 10),
  (state) => author.saveHolds(state, ME, 'links'),
  (state) => author.deleteAuthorRow(state, ME),
  (state) => browser.saveBrowserSession(state, { hash: 'h', jid: ME, createdAt: NOW, seenAt: NOW, expiresAt: NOW }),
  (state) => browser.findBrowserSession(state, 'hash-70'),
  (state) => browser.touchBrowserSession(state, 'hash-70', { seenAt: NOW, expiresAt: NOW }),
  (state) => browser.listBrowserSessions(state, ME),
  (state) => browser.clearBrowserPasswords(state, ME),
  (state) => browser.endBrowserSessions(state, ME, 'why'),
  (state) => browser.deleteBrowserSession(state, 'hash-70'),
  (state) => browser.deleteExpiredBrowserSessions(state, NOW),
  (state) => failure.addSignInFailure(state, { jid: ME, address: '10.0.1', at: NOW }),
  (state) => failure.countSignInFailures(state, { jid: ME, since: NOW }),
  (state) => failure.countSignInFailures(state, { address: '10.0.1', since: NOW }),
  (state) => failure.countSignInFailures(state, { jid: ME, address: '10.0.1', since: NOW }),
  (state) => failure.deleteSignInFailure(state, 70),
  (state) => failure.deleteSignInFailuresOf(state, ME),
  (state) => failure.deleteSignInFailuresOutside(state, { since: NOW, until: LATE }),
  (state) => reader.publishesFollows(state, ME),
  (state) => reader.savePublishesFollows(state, ME, true),
  (state) => reader.findReadUntil(state, ME),
  (state) => reader.raiseReadUntil(state, ME, NOW),
  (state) => reader.findFeedCounter(state, ME),
  (state) => reader.saveFeedCounter(state, ME, 7),
  (state) => reader.findReaderByKnownFeed(state, 'hash-70'),
  (state) => reader.forgetReader(state, ME),
  (state) => mark.addReadMarks(state, ME, { addresses: [POST], at: NOW }),
  (state) => mark.listReadMarks(state, ME, [POST]),
  (state) => mark.deleteReadMarks(state, ME, LATE),
  (state) => setting.findSetting(state, 'key'),
  (state) => setting.saveSetting(state, 'key', 'value'),
]

const followingCalls: readonly Call[] = [
  (state) => follow.addFollow(state, { follower: ME, address: BLOG, since: NOW }),
  (state) => follow.findFollow(state, ME, BLOG),
  (state) => follow.listFollows(state, ME),
  (state) => wanted.isWanted(state, BLOG),
  (state) => wanted.isWanted(state, { ...BLOG, node: 'none' }),
  (state) => follow.forgetShown(state, ME),
  (state) => community.listUnseenClaims(state),
  (state) => community.saveSeen(state, { address: BLOG, owner: ME }),
  (state) => community.saveSeen(state, { address: BLOG, owner: ME, blocked: STRANGER }),
  (state) => community.forgetClaim(state, { address: { ...BLOG, node: 'none' }, owner: ME }),
  (state) => community.forgetClaim(state, { address: { ...BLOG, node: 'none' }, owner: ME, blocked: STRANGER }),
  (state) => wanted.listChangedWishes(state, 20),
  (state) => wanted.forgetChangedWish(state, BLOG),
  (state) => readAll(wanted.listWantedNodes(state)),
  (state) => follow.updateFollow(state, { follower: ME, address: BLOG }, { problem: null }),
  (state) => follow.deleteFollow(state, { follower: ME, address: BLOG }),
  (state) => follower.listFollowers(state, { service: ME, node: NS.MICROBLOG }),
  (state) => follower.saveFollowers(state, BLOG, { come: [STRANGER], gone: [ME], now: NOW }),
  (state) => community.saveCommunity(state, { address: BLOG, owner: ME, since: NOW }),
  (state) => community.noteOwners(state, BLOG, { owners: [ME], now: NOW }),
  (state) => community.saveOwnerSeen(state, BLOG, { owner: ME, now: NOW }),
  (state) => community.findCommunity(state, BLOG),
  (state) => community.findClaimant(state, BLOG),
  (state) => community.forgetCommunity(state, { ...BLOG, node: 'none' }),
  (state) => community.listCommunities(state),
  (state) => community.listCommunitiesOf(state, ME),
  (state) => community.saveBlock(state, { address: BLOG, jid: STRANGER, by: ME, since: NOW }),
  (state) => community.findBlock(state, BLOG, STRANGER),
  (state) => community.listBlocks(state, [BLOG]),
  (state) => community.deleteBlock(state, BLOG, STRANGER),
  (state) => room.findRoomOfBlog(state, BLOG),
  (state) => room.findRoom(state, ROOM),
  (state) => room.listRooms(state),
  (state) =>
    room.saveRoom(state, {
      blog: BLOG,
      channel: jidOf('new@mix.capulet.example'),
      owner: ME,
      since: NOW,
      status: 'open',
    }),
  (state) => room.saveRoomStatus(state, ROOM, 'closing'),
  (state) => room.findRoomMember(state, ROOM, ME),
  (state) => room.saveRoomMember(state, { channel: ROOM, jid: STRANGER, participant: 'p', since: NOW }),
  (state) => room.deleteRoomMember(state, ROOM, ME),
  (state) => room.deleteRoom(state, ROOM),
]

const writingCalls: readonly Call[] = [
  (state) =>
    draft.saveDraft(state, {
      ...{ jid: ME, id: 'd', title: '', text: '', tags: '', language: '', summary: '', comments: true, updatedAt: NOW },
    }),
  (state) => draft.findDraft(state, ME, '70'),
  (state) => draft.listDrafts(state, ME),
  (state) => draft.deleteDraft(state, ME, '70'),
  (state) => outbox.countOutbox(state),
  async (state) => {
    const row = { account: ME, formKey: 'f', kind: 'post', address: POST, task: '{}', createdAt: NOW } as const
    const { id } = await outbox.addOutboxRow(state, row)
    await outbox.findOutboxRow(state, id)
    await outbox.beginAttempt(state, id)
    await outbox.updateOutboxRow(state, id, { status: 'refused', nextTry: null, acknowledgedAt: NOW })
    await outbox.deleteRefused(state, ME, id)
  },
  (state) => outbox.listOutbox(state, ME),
  (state) => outbox.findLastOutboxId(state),
  (state) => outbox.listWaitingAccounts(state),
  (state) => outbox.listWaiting(state, ME),
  (state) => outbox.listWaitingRows(state, ME),
  ...(Object.keys(KEEPS) as KeepName[]).map(
    (name): Call =>
      (state) =>
        measureKept(state, name, ME),
  ),
  (state) => forgetOldest({ state, config: { keeps: { marks: { rows: 1, bytes: 1 } } } }, 'marks', ME),
  (state) => outbox.listOutboxOf(state, POST),
  (state) => outbox.listOutboxSince(state, { account: ME, address: BLOG, since: NOW }),
  (state) => readAll(outbox.listDone(state)),
  (state) => outbox.listAcknowledged(state, ME, NOW),
  (state) => outbox.listAcknowledgedAccounts(state, LATE),
  (state) => outbox.clearNextTries(state, ME),
  (state) => outbox.deleteUnbegun(state, { account: ME, address: POST, kind: 'post' }),
  (state) => outbox.deleteDoneBefore(state, NOW),
]

const moderationCalls: readonly Call[] = [
  (state) => words.addMarkedWords(state, { address: POST, digest: 'd' }),
  (state) => words.findMarkedWords(state, POST),
  (state) => readAll(words.listKeptCopies(state, 500)),
  (state) => decision.findDecision(state, POST),
  (state) => decision.saveDecision(state, { address: POST, post: POST, what: 'held', at: NOW }),
  (state) => decision.hasApproved(state, BLOG, ME),
  (state) => decision.listDecisions(state, { blogs: [BLOG], what: 'held', limit: 20 }),
  (state) => decision.listHidden(state, { by: [ME], limit: 20 }),
  (state) => decision.findApproval(state, POST),
  (state) => decision.forgetDecision(state, POST),
  (state) => decision.saveDecision(state, { address: POST, post: POST, what: 'removed', payload: '<entry/>', at: NOW }),
  (state) => threadState.findClosedThread(state, POST),
  (state) => threadState.saveClosedThread(state, POST, { since: NOW, by: ME }),
  (state) => report.addReport(state, { address: POST, post: POST, sender: 's', reason: '', at: NOW }),
  (state) => report.countReportsOf(state, ME, { since: NOW, until: LATE }),
  (state) => report.listReports(state, { limit: 20 }),
  (state) => report.countOpenReports(state, 100),
  (state) => report.findReport(state, 70),
  (state) => report.settleReports(state, POST, undefined),
  (state) => siteBlock.addSiteBlock(state, { address: 'evil.example', kind: 'server', by: ME, since: NOW }),
  (state) => siteBlock.listSiteBlocks(state),
  (state) => siteBlock.findBlockOfJid(state, STRANGER),
  (state) => siteBlock.findBlockOfNode(state, BLOG, STRANGER),
  (state) => siteBlock.deleteSiteBlock(state, 'evil.example'),
]

const notificationCalls: readonly Call[] = [
  (state) =>
    notification.addNotifications(state, [
      { jid: ME, kind: 'comment', ...POST, item: asItemId('new'), actor: '', text: '', at: NOW.toISOString() },
    ]),
  (state) => notification.listWhoHeard(state, POST),
  (state) => notification.pruneNotifications(state, ME, { most: 40, mostOfBurst: 10 }),
  (state) => notification.countUnread(state, ME, 100),
  (state) => notification.listNotifications(state, ME, { limit: 20 }),
  (state) => notification.listNotifications(state, ME, { limit: 20, before: { at: LATE.toISOString(), id: 1 } }),
  (state) => notification.markNotificationsRead(state, ME, { until: { at: LATE.toISOString(), id: 1 }, now: NOW }),
  (state) => notification.markPostRead(state, ME, { post: POST, now: NOW }),
  (state) => notification.forgetNotifications(state, POST, ['comment', 'reaction']),
  (state) => notification.listUnsent(state, ME, 20),
  (state) => notification.listWhoWaits(state),
  (state) => notification.markSent(state, [1, 2], NOW),
  (state) => notification.saveNotifiesByMessage(state, ME, true, NOW),
  (state) => notification.notifiesByMessage(state, ME),
  (state) => threadWish.listThreadWishes(state, POST),
  (state) => threadWish.findThreadWish(state, ME, POST),
  (state) => threadWish.saveThreadWish(state, ME, { post: POST, wish: 'mute', now: NOW }),
  (state) => threadWish.saveThreadWish(state, ME, { post: POST, wish: undefined, now: NOW }),
]

const proofCalls: readonly Call[] = [
  async (state) => {
    const proofs = { key: 'k', code: 'c', post: POST, text: '', name: '', sender: ME, createdAt: NOW, expiresAt: LATE }
    await proof.addProof(state, proofs)
    await proof.findProofByCode(state, 'c')
    await proof.moveProof(state, 'k', { from: 'waiting', status: 'proved' })
  },
  (state) => proof.listProofsOf(state, ME, NOW),
  (state) => proof.countAsked(state, NOW, ME),
  (state) => proof.countAsked(state, LATE),
  (state) => proof.listWaitingFor(state, ME, NOW),
  (state) => proof.countUnpublished(state),
  (state) => proof.listProofs(state, 'waiting'),
  (state) => proof.deleteProofsBefore(state, { unpublished: NOW, all: NOW }),
]

/** One call at least of everything that the store can ask of the state. */
export const STATE_CALLS = [
  ...peopleCalls,
  ...followingCalls,
  ...writingCalls,
  ...moderationCalls,
  ...notificationCalls,
  ...proofCalls,
]
