import type * as view from '#web/views.ts'
import { html } from './sample-posts.ts'

type LayoutOf = (title: string, more?: Partial<view.Layout>) => view.Layout

const LONG = 'a-very-long-account-name-that-has-no-end@a-very-long-domain-of-capulet.example'

/** The form for who is not signed in, on a post's page. */
export const visitorForm: view.VisitorFormView = { action: '/@juliet/lark/comments/proof', key: 'k' }

/** The page of a comment that is to be confirmed, in its states. */
export function proofSamples(layout: LayoutOf): [name: string, view: view.ProofView][] {
  const page = {
    ...{
      siteJid: 'canto@capulet.example',
      code: 'K7MD-3QXZ',
      codeUri: 'xmpp:canto@capulet.example?message;body=K7MD-3QXZ',
    },
    ...{ expires: '2026-11-22T20:30:00Z', postUrl: '/@juliet/lark', html: html('<p>He jests at <em>scars</em>.</p>') },
  }
  const open = {
    layout: layout('Confirm your comment', { person: undefined, refresh: 10 }),
    live: { url: '/live', version: 'waiting' },
  }
  const over = { layout: layout('Confirm your comment', { person: undefined }) }
  const again = { action: '/@juliet/lark/comments/proof', fields: { key: 'k', text: 'He jests', name: '' } }
  return [
    ['proof', { ...page, ...open, standing: 'waiting' }],
    ['proof-asked', { ...page, ...open, standing: 'asked', asked: LONG }],
    ['proof-proved', { ...page, ...open, standing: 'proved', jid: LONG }],
    ['proof-held', { ...page, ...over, standing: 'held' }],
    ['proof-expired', { ...page, ...over, standing: 'expired', again }],
    ['proof-denied', { ...page, ...over, standing: 'denied', again, problem: `${LONG} could not be reached.` }],
    [
      'proof-arabic',
      { ...page, ...open, layout: layout('أكّد تعليقك', { person: undefined, language: 'ar' }), standing: 'waiting' },
    ],
  ]
}
