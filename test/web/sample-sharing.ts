import type * as view from '#web/views.ts'
import { createPost, LONG_NAME } from './sample-posts.ts'

type LayoutOf = (title: string, more?: Partial<view.Layout>) => view.Layout

/** Shared by Juliet, in every degree of what is known of the original. */
export const reposts: readonly view.PostView[] = [
  createPost({ repost: { url: '/@romeo/orchard', name: 'Romeo Montague', isProved: true }, edited: undefined }),
  createPost({ repost: { url: 'https://evil.example/', name: LONG_NAME, isProved: false }, edited: undefined }),
  createPost({
    repost: { url: 'xmpp:romeo@montague.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=x', isProved: false },
    edited: undefined,
    hasComments: false,
  }),
]

/** Who shared a post. */
export const shares: view.SharesView = {
  count: 1_041,
  people: [
    { name: 'Romeo', url: '/@romeo/lark' },
    { name: LONG_NAME, url: '/@mallory/lark' },
    { name: 'روميو', url: '/@romeo-ar/lark' },
  ],
}

/** The page that shares a post: for who may, who did, and who cannot. */
export function shareSamples(layout: LayoutOf): [name: string, view: view.ShareView][] {
  const { title, url } = createPost()
  const page = {
    layout: layout('Share'),
    post: { title, url, author: 'Juliet Capulet' },
    quoteUrl: '/write?quote=x',
    jid: 'romeo@montague.example',
  }
  const form = { action: `${url}/share`, token: 't', key: 'a-key-of-a-form', words: '' }
  return [
    ['share', { ...page, form }],
    ['share-failed', { ...page, form: { ...form, words: 'How true' }, problem: 'Your server does not answer.' }],
    ['share-done', { ...page, own: '/@romeo/lark' }],
    ['share-not', { ...page, problem: 'This is your own post.' }],
  ]
}
