import type * as view from '#web/views.ts'
import { createPost, follow, html } from './sample-posts.ts'

export type CommunitySample = {
  [Name in keyof view.Views]: readonly [name: string, template: Name, view: view.Views[Name]]
}[keyof view.Views]

const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'

/** The pages of communities and galleries, in their states. */
export function communitySamples(
  assets: string,
  layout: (title: string, more?: Partial<view.Layout>) => view.Layout,
): readonly CommunitySample[] {
  const picture = { src: `${assets}/icon.svg`, alt: 'A rose in the rain, seen from the balcony' }
  const pictured = createPost({
    ...{ title: 'After the rain', html: html('<p>Taken this morning.</p>'), template: 'gallery' },
    pictures: [picture, { ...picture, alt: '' }],
    ...{ editUrl: '/edit', deleteUrl: '/delete', blockUrl: '/block' },
  })
  const service = 'pubsub.capulet.example'
  const nodes = [
    { title: 'Gardens', name: 'gardens', description: 'What grows where.', kind: 'posts', count: 12, url: '/c/a/b' },
    { title: 'Roses', name: 'roses', kind: 'gallery', count: 1, isFollowed: true, url: '/c/a/c' },
    { title: LONG, name: LONG.toLowerCase(), kind: 'unknown' },
  ].map((node) => ({ xmppUri: 'xmpp:a', isFollowed: false, ...node })) as view.ListedNodeView[]
  const own = [{ title: 'Verona by Night', description: 'For whoever is awake.', url: '/c/a/d' }]
  const browser = { service, newUrl: '/communities/new' }
  const form = { token: 't', key: 'a-form-key', service, title: '', description: '', people: '' }
  const people = { token: 't', of: 'xmpp:a', community: { title: 'Verona by Night', url: '/c/a/d' } }
  const desk = {
    ...{ jid: 'juliet@capulet.example', action: '/write', token: 't', key: 'k', isEdit: false, title: '', text: '' },
    ...{ tags: '', language: 'en', summary: '', comments: true, languages: [{ code: 'en', name: 'English' }] },
    ...{ words: 0, saveUrl: '/drafts/k', draftsUrl: '/drafts', draftCount: 0 },
    to: { uri: 'xmpp:a', title: 'Roses', url: '/c/a/c' },
    pictures: [{ href: 'https://a.example/1.png', type: 'image/png', ...picture }],
  }
  const page = { author: { name: service }, follow, paging: {}, url: '/c/a/c', title: 'Roses' }
  return [
    [
      'communities',
      'communities',
      { layout: layout('Communities'), own, browser, browsed: { service, token: 't', isCut: true, nodes } },
    ],
    ['communities-empty', 'communities', { layout: layout('Communities', { person: undefined }), own: [] }],
    [
      'communities-problem',
      'communities',
      { layout: layout('Communities'), own, browser: { ...browser, problem: 'Write the address of a service.' } },
    ],
    ['community-new', 'community-new', { layout: layout('New community'), ...form, kind: 'base', who: 'everyone' }],
    [
      'community-people',
      'community-people',
      {
        ...{ layout: layout('People'), ...people, isOpen: false, owners: ['juliet@capulet.example'] },
        ...{ publishers: [`${LONG.toLowerCase()}@montague.example`], blocked: ['mallory@evil.example'] },
      },
    ],
    [
      'gallery',
      'blog',
      { layout: layout('Roses'), ...page, posts: [pictured], writeHereUrl: '/write', peopleUrl: '/communities/people' },
    ],
    [
      'gallery-post',
      'post',
      {
        layout: layout('After the rain'),
        post: pictured,
        follow,
        comments: [],
        closed: 'This post takes no comments.',
      },
    ],
    ['gallery-write', 'write', { layout: layout('Write'), ...desk }],
  ]
}
