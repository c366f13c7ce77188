import type * as view from '#web/views.ts'
import { communitySamples } from './sample-communities.ts'
import { moderationSamples } from './sample-moderation.ts'
import { notificationSamples, threadWish } from './sample-notifications.ts'
import {
  arabicPost,
  blog,
  comments,
  createPost,
  follow,
  html,
  juliet,
  LONG_NAME,
  note,
  posts,
  waiting,
} from './sample-posts.ts'
import { proofSamples, visitorForm } from './sample-proofs.ts'
import { reactionSamples, reactions, reactionsSignedOut } from './sample-reactions.ts'
import { roomSamples } from './sample-rooms.ts'
import { reposts, shareSamples, shares } from './sample-sharing.ts'

/** A page as data, with the name of its template. */
export interface Sample {
  readonly template: keyof view.Views
  readonly view: view.Views[keyof view.Views]
}

/** Every page in every state, by names that are paths, too. */
export function createSamples(assets: string): ReadonlyMap<string, Sample> {
  return new Map([
    ...readingSamples(assets),
    ...postSamples(assets),
    ...writingSamples(assets),
    ...followingSamples(assets),
    ...communitySamples(assets, layoutOf(assets)).map(
      ([name, template, data]) => [name, { template, view: data }] as const,
    ),
    ...roomSamples(layoutOf(assets)).map(([name, template, data]) => [name, { template, view: data }] as const),
    ...notificationSamples(layoutOf(assets)).map(
      ([name, data]) => [name, { template: 'notifications', view: data }] as const,
    ),
    ...reactionSamples(layoutOf(assets)).map(([name, data]) => [name, { template: 'reactions', view: data }] as const),
    ...shareSamples(layoutOf(assets)).map(([name, data]) => [name, { template: 'share', view: data }] as const),
    ...proofSamples(layoutOf(assets)).map(([name, data]) => [name, { template: 'proof', view: data }] as const),
    ...moderationSamples(layoutOf(assets)).map(([name, template, data]) => [name, { template, view: data }] as const),
    ...otherSamples(assets),
  ])
}

type Samples = [name: string, sample: Sample][]

function sample<Name extends keyof view.Views>(
  name: string,
  template: Name,
  data: view.Views[Name],
): [name: string, sample: Sample] {
  return [name, { template, view: data }]
}

function layoutOf(assets: string) {
  return (title: string, more: Partial<view.Layout> = {}): view.Layout => ({
    siteTitle: 'The Verona Papers',
    assets,
    title,
    feeds: [{ href: '/atom.xml', title: 'The Verona Papers' }],
    person: { name: 'Juliet', session: 'S', mayWrite: true },
    ...more,
  })
}

function readingSamples(assets: string): Samples {
  const layout = layoutOf(assets)
  const nobody = { person: undefined, canonical: 'https://verona.example/', description: 'Gardens and letters.' }
  const { title, url } = blog
  const own = { title, url, author: juliet, follow, language: 'en', room: { url: '/@juliet/room', peopleCount: 12 } }
  const description = 'Gardens, letters, astronomy, and other things one can do from indoors.'
  const arabic = { ...own, title: 'شرفة في فيرونا', description: 'حدائق ورسائل وفلك', language: 'ar' }
  const arabicLayout = layout('شرفة في فيرونا', { language: 'ar' })
  const long = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
  const live = { url: '/live', version: '1' }
  const secret = 'mJ9w7TzEo2sK5nVbQ1xYcF4hRgLd8uAiPq3ZtNvBk0W'
  return [
    sample('home', 'home', { layout: layout('The Verona Papers', nobody), posts, paging: { olderUrl: '?before=1' } }),
    sample('home-reposts', 'home', { layout: layout('The Verona Papers', nobody), posts: reposts, paging: {} }),
    sample('home-empty', 'home', { layout: layout('The Verona Papers'), posts: [], paging: {}, writeUrl: '/write' }),
    sample('timeline', 'timeline', {
      layout: layout('Home', { feeds: [] }),
      ...{ posts: posts.map((post, n) => ({ ...post, isNew: n < 2 })), paging: { olderUrl: '?before=1' }, live },
      ...{ token: 'token', followingUrl: '/following', feedsAction: '/home/address' },
      feeds: {
        atomUrl: `https://verona.example/home/${secret}/atom.xml`,
        jsonUrl: `https://verona.example/home/${secret}/feed.json`,
      },
      showsFeeds: true,
      read: { action: '/home/read', token: 'token', until: '2026-03-16T12:00:00.000Z' },
    }),
    sample('timeline-empty', 'timeline', {
      layout: layout('Home', { feeds: [], person: { name: 'Nurse', session: 'S', mayWrite: false } }),
      ...{ posts: [], paging: {}, live },
      ...{ token: 'token', followingUrl: '/following', feedsAction: '/home/address', empty: 'nothing-followed' },
    }),
    sample('blog', 'blog', {
      ...own,
      ...{ layout: layout(title, nobody), description, posts, live },
      paging: { olderUrl: '?before=1', newerUrl: '?after=1' },
    }),
    sample('blog-waiting', 'blog', {
      ...own,
      ...{ layout: layout(title), posts: posts.slice(1, 2), paging: {} },
      waiting: [createPost({ waiting }), { ...note, waiting: { reason: 'It is too large.', isRefused: true } }],
    }),
    sample('blog-not-read', 'blog', { ...own, layout: layout(title), posts: [], paging: {}, isWaiting: true }),
    sample('blog-long-name', 'blog', {
      ...{ ...own, title: long, author: { name: LONG_NAME, url }, language: undefined },
      ...{
        layout: layout(long, { person: { name: LONG_NAME, session: 'S', mayWrite: true } }),
        posts: posts.slice(2, 3),
        paging: {},
      },
    }),
    sample('blog-arabic', 'blog', {
      ...{ ...arabic, layout: arabicLayout, paging: { olderUrl: '?before=1' } },
      posts: [arabicPost, createPost({ language: undefined })],
    }),
    sample('blog-arabic-empty', 'blog', {
      ...{ ...arabic, layout: arabicLayout, posts: [], paging: {}, writeUrl: '/write' },
    }),
    sample('tag', 'tag', { layout: layout('astronomy'), tag: 'astronomy', blog, posts, paging: {} }),
    sample('tag-empty', 'tag', { layout: layout('حدائق'), tag: 'حدائق', posts: [], paging: {} }),
  ]
}

function postSamples(assets: string): Samples {
  const layout = layoutOf(assets)
  const page = { layout: layout(createPost().title, { ogType: 'article' }), follow }
  const form = {
    action: '/@juliet/lark/comments',
    peopleUrl: '/people.json',
    token: 't',
    key: 'k',
    jid: 'juliet@capulet.example',
  }
  const replyTo = { name: 'روميو', item: 'c3', cancelUrl: '?' }
  const howTo = {
    signinUrl: '/signin?next=/@juliet/lark',
    xmppUri: 'xmpp:pubsub.capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0%3Acomments%2Flark',
    domains: 'capulet.example',
  }
  return [
    sample('post', 'post', {
      ...{ threadWish, reactions },
      ...{ ...page, comments, form, commentsFeedUrl: '/@juliet/lark/comments.xml' },
      post: createPost({ editUrl: '/edit', deleteUrl: '/delete' }),
      live: { url: '/live', version: '1' },
    }),
    sample('post-long-thread', 'post', {
      ...{ ...page, post: createPost(), comments, form, commentCount: 10_000 },
      pages: {
        previousUrl: '?',
        nextUrl: '?comments=3',
        newestUrl: '?view=flat',
        number: 2,
        numbers: 100,
        flatUrl: '?',
      },
    }),
    sample('post-flat', 'post', {
      ...{ ...page, post: createPost(), comments: comments.slice(4), form },
      pages: { previousUrl: '?before=1', treeUrl: '?' },
    }),
    ...reposts.map((post, i) =>
      sample(`post-repost${i === 0 ? '' : `-${i}`}`, 'post', {
        ...{ ...page, post, comments: [], original: { url: post.repost?.url ?? '', commentCount: i } },
      }),
    ),
    sample('post-shared', 'post', { ...page, post: createPost({ shareUrl: '/share' }), comments: [], form, shares }),
    sample('post-signed-out', 'post', {
      ...{ ...page, post: createPost(), comments: [], howTo, reactions: reactionsSignedOut },
      layout: layout(createPost().title, { ogType: 'article', person: undefined }),
    }),
    sample('post-visitor', 'post', {
      ...{ ...page, post: createPost(), comments: [], howTo: { ...howTo, visitor: visitorForm } },
      layout: layout(createPost().title, { ogType: 'article', person: undefined }),
    }),
    sample('post-visitor-error', 'post', {
      ...{ ...page, post: createPost(), comments: [] },
      howTo: { ...howTo, visitor: { ...visitorForm, replyTo, text: 'A', name: 'Romeo', problem: 'Write something.' } },
      layout: layout(createPost().title, { ogType: 'article', person: undefined }),
    }),
    sample('post-restricted', 'post', {
      ...{ ...page, post: createPost(), comments: [], howTo, unshown: 'signed-out' },
      layout: layout(createPost().title, { ogType: 'article', person: undefined }),
    }),
    sample('post-unproved', 'post', {
      ...{ ...page, post: createPost(), comments: [], unshown: 'unproved' },
      form: { ...form, isRestricted: true },
    }),
    sample('post-note', 'post', { ...page, post: note, comments: [], closed: 'Comments are closed.' }),
    sample('post-reply', 'post', {
      ...{ ...page, post: note, comments: comments.slice(0, 3) },
      form: { ...form, replyTo, text: 'A', problem: 'Write something first.' },
    }),
    sample('post-waiting', 'post', {
      ...{ ...page, comments: [] },
      post: { ...note, waiting: { reason: 'The server refuses it: it is too large.', isRefused: true } },
    }),
    sample('post-arabic', 'post', {
      ...{ ...page, layout: layout(arabicPost.title, { language: 'ar' }) },
      ...{ post: arabicPost, comments: comments.slice(0, 3), form },
    }),
    sample('post-arabic-in-english', 'post', { ...page, post: arabicPost, comments: comments.slice(0, 1), form }),
    sample('post-by-nobody', 'post', {
      ...{ ...page, comments: [] },
      post: { ...note, author: undefined, accordingTo: 'pubsub.montague.example', language: undefined },
    }),
  ]
}

function writingSamples(assets: string): Samples {
  const layout = layoutOf(assets)
  const writing: view.WriteView = {
    layout: layout('Write', { noindex: true }),
    ...{ jid: 'juliet@capulet.example', action: '/write', token: 't', key: 'abcdefgh', isEdit: false },
    title: 'Notes on keeping a garden inside walls',
    text: 'Pomegranates do badly in the shade of the north wall, whatever the *almanac* promises.\n\n## What I learned\n\n- Lime in the soil: less than you think.',
    ...{ tags: 'gardens, pomegranates', language: 'en', summary: 'Pomegranates and walls.', comments: true },
    languages: [
      { code: 'en', name: 'English' },
      { code: 'ar', name: 'العربية' },
    ],
    ...{ savedAt: '2026-03-14T21:42:00Z', words: 26, saveUrl: '/drafts/abcdefgh', draftsUrl: '/drafts', draftCount: 2 },
  }
  const empty = { title: '', text: '', tags: '', summary: '', words: 0, draftCount: 0, savedAt: undefined }
  const again = { href: '/signin', text: 'Sign in again' }
  const notice = { lead: 'Not published.', text: 'Your session has ended. The text is safe.', link: again }
  return [
    sample('write', 'write', { ...writing, cancelUrl: '/@juliet' }),
    sample('write-empty', 'write', { ...writing, ...empty }),
    sample('write-error', 'write', {
      ...{ ...writing, isEdit: true, base: '2026-03-14T09:00:00Z', cancelUrl: '/@juliet/lark', deleteUrl: '/delete' },
      layout: layout('Edit', { notices: [notice] }),
      problem: { field: 'text', text: 'Write something first.' },
    }),
    sample('write-german', 'write', { ...writing, layout: layout('Schreiben', { language: 'de' }), isEdit: true }),
    sample('write-arabic', 'write', {
      ...writing,
      layout: layout('اكتب', { language: 'ar' }),
      title: arabicPost.title,
    }),
    sample('preview', 'preview', { ...writing, post: createPost({ html: html(writing.text), title: writing.title }) }),
    sample('drafts', 'drafts', {
      ...{ layout: layout('Drafts'), token: 't', writeUrl: '/write' },
      drafts: [
        { url: '/write?draft=1', title: 'A garden', savedAt: '2026-03-14T10:42:00Z', deleteAction: '/drafts/1/delete' },
        {
          ...{ url: '/write?draft=2', title: '', savedAt: '2026-03-14T10:42:00Z', deleteAction: '/drafts/2/delete' },
          edits: '/@juliet/lark',
        },
      ],
      outbox: [
        {
          title: 'The lark',
          url: '/@juliet/lark',
          waiting,
          retryAction: '/outbox/1/retry',
          dropAction: '/outbox/1/drop',
        },
        { title: '', waiting: { reason: 'It is too large.', isRefused: true }, dropAction: '/outbox/2/drop' },
      ],
    }),
    sample('drafts-empty', 'drafts', {
      ...{ layout: layout('Drafts'), token: 't', writeUrl: '/write', drafts: [], outbox: [] },
    }),
  ]
}

function followingSamples(assets: string): Samples {
  const layout = layoutOf(assets)
  const following = {
    ...{ layout: layout('Following', { feeds: [] }), token: 't', typed: '', communitiesUrl: '/communities' },
    ...{ follows: [], isPublic: false },
  }
  const fine = {
    ...{ title: 'Letters from exile', url: '/@romeo@montague.example', address: 'romeo@montague.example' },
    ...{ uri: 'xmpp:romeo@montague.example?;node=urn%3Axmpp%3Amicroblog%3A0', states: [] },
    ...{ newest: '2026-03-14T21:04:00Z', read: '2026-03-15T09:30:00Z' },
  }
  const troubled = {
    ...{ title: LONG_NAME, url: '/c/pubsub.verona.example/cats', address: 'pubsub.verona.example cats' },
    ...{ uri: 'xmpp:pubsub.verona.example?;node=cats', states: ['refused', 'partial'] as const },
    problem: 'pubsub.verona.example does not allow this.',
  }
  const unheard = { ...fine, title: 'Of apothecaries', states: ['cut', 'unheard'] as const }
  const unproved = {
    ...{ title: 'For friends', url: '/@benvolio@montague.example', address: 'benvolio@montague.example' },
    ...{ uri: 'xmpp:benvolio@montague.example?;node=urn%3Axmpp%3Amicroblog%3A0', states: ['unproved'] as const },
  }
  const preview = {
    ...{ layout: layout('Follow'), token: 't', title: 'Letters from exile', description: 'From Mantua, mostly.' },
    ...{ name: 'Romeo', address: 'romeo@montague.example', uri: fine.uri, url: fine.url },
    ...{ mayFollow: true, isFollowed: false },
  }
  return [
    sample('following', 'following', {
      ...{ ...following, follows: [fine, unheard, unproved, troubled], isPublic: true },
      theirs: { jid: 'nurse@capulet.example', list: [{ title: 'Cats', followUrl: '/following?address=x' }] },
    }),
    sample('following-empty', 'following', {
      ...{ ...following, typed: 'romeo', problem: '“romeo” is no address of a blog. Write an XMPP address.' },
      notImported: [{ title: 'Old news', problem: 'The page is not there.' }],
    }),
    sample('follow-preview', 'follow-preview', {
      ...{ ...preview, avatar: `${assets}/icon.svg` },
      posts: [
        {
          title: 'The apothecary',
          isUntitled: false,
          excerpt: 'He was poor.',
          published: fine.newest,
          author: { name: 'Romeo' },
        },
        { title: 'حديقة', isUntitled: true, excerpt: 'حديقة الليل', language: 'ar' },
      ],
    }),
    sample('follow-preview-missing', 'follow-preview', {
      ...{ ...preview, description: undefined, name: undefined, mayFollow: false, posts: [] },
      problem: 'There is no such blog at romeo@montague.example. Look at the address again.',
    }),
  ]
}

function otherSamples(assets: string): Samples {
  const layout = layoutOf(assets)
  const signin = { layout: layout('Sign in', { person: undefined }), token: 't', example: 'juliet@capulet.example' }
  const confirm = { token: 't', action: '/confirm', cancelUrl: '/' }
  const settings = { layout: layout('Settings'), token: 't', action: '/settings', signoutAction: '/signout' }
  const languages = [
    { code: 'en', name: 'English' },
    { code: 'ar', name: 'العربية' },
  ]
  const roomSettings = { token: 't', key: 'k', openAction: '/settings/room', closeUrl: '/settings/room/close' }
  return [
    sample('signin', 'signin', { ...signin, domains: 'capulet.example' }),
    sample('signin-error', 'signin', {
      ...{ ...signin, jid: 'juliet@capulet.example', next: '/write', field: 'jid' },
      problem: 'The address or the password is not right.',
    }),
    sample('confirm', 'confirm', {
      ...{ ...confirm, layout: layout('Delete'), heading: 'Delete this post?', button: 'Delete' },
      text: 'It leaves the network with its 3 comments.',
    }),
    sample('consent', 'confirm', {
      ...{ ...confirm, layout: layout('Open'), heading: 'Open your blog?', button: 'Make them public' },
      ...{ text: '3 posts would become public.', list: ['14 March 2026 · The lark', '2 March 2026 · الحديقة'] },
    }),
    sample('settings', 'settings', {
      messages: { action: '/settings/messages', isOn: true },
      ...{ ...settings, jid: 'juliet@capulet.example', name: 'Juliet', languages, draftsUrl: '/drafts' },
      blog: { title: blog.title, description: 'Gardens and letters.', language: 'en', url: blog.url },
      room: roomSettings,
    }),
    sample('settings-reader', 'settings', { ...settings, jid: 'romeo@montague.example', name: '', languages: [] }),
    sample('settings-room', 'settings', {
      ...{ ...settings, jid: 'juliet@capulet.example', name: 'Juliet', languages },
      room: { ...roomSettings, room: { url: '/@juliet/room', xmppUri: 'xmpp:a@mix.example?join' } },
    }),
    ...['400', '403', '404', '410', '429', '500', '503'].map((status) =>
      sample(`error-${status}`, 'error', {
        layout: layout('Error', { person: undefined }),
        status: Number(status),
        text: 'Wait 12 minutes, then try again.',
        ...(status === '429' ? { link: { href: '/signin', text: 'Sign in' } } : {}),
      }),
    ),
  ]
}
