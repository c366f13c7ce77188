import type * as view from '#web/views.ts'
import { html } from './sample-posts.ts'

export type ModerationSample = {
  [Name in keyof view.Views]: readonly [name: string, template: Name, view: view.Views[Name]]
}[keyof view.Views]

const LONG = 'donaudampfschifffahrtselektrizitaetenhauptbetriebswerk@bauunterbeamtengesellschaft.example'

/** The pages of moderation and reports, in their states. */
export function moderationSamples(
  layout: (title: string, more?: Partial<view.Layout>) => view.Layout,
): readonly ModerationSample[] {
  const said: view.JudgedView = {
    ...{ uri: 'xmpp:a?;node=b;item=1', blog: 'xmpp:a?;node=b', name: 'Mallory', jid: 'mallory@evil.example' },
    ...{ server: 'evil.example', html: html('Buy at [spam.example](https://spam.example/)!') },
    ...{ published: '2026-03-14T21:42:00Z', why: 'link', post: { title: 'The balcony', url: '/@juliet/balcony' } },
  }
  const long: view.JudgedView = { ...said, uri: 'xmpp:a?;node=b;item=2', name: LONG, jid: LONG, why: 'too-many' }
  const page = { token: 't', held: [said, long], removed: [{ ...said, uri: 'xmpp:a?;node=b;item=3' }] }
  const blocks = [{ jid: LONG, blog: 'xmpp:a?;node=b', title: 'Verona by Night' }]
  const done = { text: 'Removed: 2 comments.', action: '/moderation', token: 't', undo: { action: 'put-back' } }
  const report = { action: '/@juliet/balcony/report', token: 't', isComment: true, cancelUrl: '/@juliet/balcony' }
  const reported = {
    ...{
      id: '1',
      reason: 'It is spam, and rude besides.',
      published: '2026-03-14T21:42:00Z',
      about: 'Mallory',
      text: 'Buy at spam.example!',
    },
    ...{ url: '/@juliet/balcony/comments/1', jid: LONG, server: 'evil.example', isGone: false },
  }
  return [
    ['moderation', 'moderation', { layout: layout('Moderation'), ...page, done, blocks, holds: 'links', about: long }],
    ['moderation-empty', 'moderation', { layout: layout('Moderation'), token: 't', held: [], removed: [], blocks: [] }],
    ['report', 'report', { layout: layout('Report'), ...report, quoted: 'Fool!', reason: '', isSent: false }],
    [
      'report-problem',
      'report',
      {
        layout: layout('Report'),
        ...report,
        quoted: 'Fool!',
        reason: 'x',
        isSent: false,
        problem: 'Say what is wrong with it.',
      },
    ],
    ['report-sent', 'report', { layout: layout('Report'), ...report, quoted: 'Fool!', reason: '', isSent: true }],
    [
      'reports',
      'reports',
      {
        ...{ layout: layout('Reports'), token: 't', typed: 'x', problem: 'Write an account or a server.' },
        reports: [reported, { ...reported, id: '2', isGone: true, reporter: 'romeo@montague.example', node: 'xmpp:a' }],
        hidden: [{ uri: 'xmpp:a?;node=b;item=c', text: LONG, since: '2026-03-14T21:42:00Z' }],
        blocks: [{ address: LONG, kind: 'account', since: '2026-03-14T21:42:00Z' }],
        done: { ...done, text: 'Dismissed.', action: '/reports' },
      },
    ],
    [
      'reports-empty',
      'reports',
      { layout: layout('Reports'), token: 't', typed: '', reports: [], hidden: [], blocks: [] },
    ],
  ]
}
