import { makeScrollable, renderMarkdown } from '#shared/markup.ts'
import type { CommentView, FollowView, PersonView, PostView } from '#web/views.ts'

/** Nobody's name is longer. */
export const LONG_NAME = 'mercutio.of.the.house.of.escalus@a-very-long-server-name.verona.example'

const TEXT = `It was the nightingale and not the lark. I have been turning the sentence over since the morning, and I no longer
think it was about birds. A window is a way of saying that you could leave, and a balcony is a way of saying that you
have not. “Wilt thou be gone?” is a question with *only one* honest answer, and it is not the one I gave.

The almanac of [Brother Lawrence](https://lawrence.example/) has the sunrise at **six minutes past six**; my own clock,
which I trust more, has it four minutes earlier. The difference is the hill.[^1]

## What the almanac leaves out

Three things, as far as I can tell from one winter of looking:

- the height of the eastern horizon, which is not nought for anyone who lives in a town;
- the bending of light in cold air;
- whether one *wants* it to be morning.

> Night’s candles are burnt out, and jocund day stands tiptoe on the misty mountain tops.

If you keep a clock, \`sunrise --hill 4\` gives the right figure.

\`\`\`
$ sunrise --lat 45.44 --lon 10.99 --hill 4 --date 2026-03-14 --with-an-option-that-makes-it-scroll
06:02  nautical twilight ended 05:31, the hill costs four minutes
\`\`\`

| Day | Almanac | My clock | Averylongcolumnofoneword | Anotherlongcolumnofoneword |
|---|---|---|---|---|
| 12 March | 06:10 | 06:06 | 4 | 4 |
| 13 March | 06:08 | 06:04 | 4 | 4 |

---

### A smaller thing

The pomegranate by the north wall has buds. ${'Very'.repeat(20)}longword

[^1]: Four minutes, as measured.
`

export const html = (markdown: string) => makeScrollable(renderMarkdown(markdown))

export const juliet: PersonView = { name: 'Juliet Capulet', jid: 'juliet@capulet.example', url: '/@juliet' }
export const blog = { title: 'A Balcony in Verona', url: '/@juliet' }

export const follow: FollowView = {
  feedUrl: 'https://verona.example/@juliet/atom.xml',
  xmppUri: 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0',
  jid: 'juliet@capulet.example',
}

export function createPost(more: Partial<PostView> = {}): PostView {
  return {
    url: '/@juliet/lark',
    title: 'The lark, the nightingale, and what a window is for',
    isUntitled: false,
    html: html(TEXT),
    excerpt:
      'It was the nightingale and not the lark. I have been turning the sentence over since the morning, and I no longer think it was about birds. A window is a way of saying that you could leave, and a…',
    published: '2026-03-14T09:00:00Z',
    edited: '2026-03-16T10:00:00Z',
    author: juliet,
    blog,
    tags: ['astronomy', 'gardens'].map((name) => ({ name, url: `/@juliet/tag/${name}` })),
    language: 'en',
    commentCount: 3,
    hasComments: true,
    ...more,
  }
}

export const note = createPost({
  url: '/@juliet/swallow',
  title: 'Saw the first swallow over the Adige this morning',
  isUntitled: true,
  excerpt: 'Saw the first swallow over the Adige this morning, three weeks early. Nobody believes me.',
  html: html('Saw the first swallow over the Adige this morning, three weeks early. Nobody believes me.'),
  published: '2026-02-11T09:00:00Z',
  edited: undefined,
  tags: [],
  commentCount: 1,
})

export const arabicPost = createPost({
  url: '/@juliet/garden-ar',
  language: 'ar',
  title: 'ملاحظات عن حديقة بين الجدران',
  excerpt: 'الرمان لا ينمو جيدا في ظل الجدار الشمالي مهما وعد التقويم.',
  html: html('الرمان لا ينمو جيدا في ظل الجدار الشمالي مهما وعد *التقويم*.\n\n> اقتباس\n\n- واحد\n- اثنان'),
  author: { name: 'جولييت', url: '/@juliet' },
  blog: { title: 'شرفة في فيرونا', url: '/@juliet' },
  tags: [{ name: 'حدائق', url: '/@juliet/tag/x' }],
  commentCount: 1,
})

export const posts: readonly PostView[] = [
  createPost(),
  createPost({
    url: '/@juliet/garden',
    title: 'Notes on keeping a garden inside walls',
    published: '2026-03-02T09:00:00Z',
    commentCount: 0,
    excerpt:
      'Pomegranates do badly in the shade of the north wall, whatever the almanac promises; move them before the first frost, and water from below.',
  }),
  createPost({
    url: '/@juliet/machine',
    title: 'On a machine that carries letters by itself, without asking any friar to hold them',
    published: '2026-02-27T09:00:00Z',
    commentCount: 41,
    isUnverified: true,
    author: { name: LONG_NAME },
  }),
  note,
]

export const waiting = { reason: 'capulet.example does not answer.', nextTry: '2026-03-16T21:15:00Z' }

function createComment(id: string, name: string, text: string, more: Partial<CommentView> = {}): CommentView {
  return {
    id,
    author: { name, url: '/@romeo' },
    isAuthor: false,
    isUnverified: false,
    published: '2026-03-15T21:04:00Z',
    html: html(text),
    depth: 0,
    inReplyTo: 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=lark',
    replyUrl: '?reply=1#comment',
    ...more,
  }
}

export const comments: readonly CommentView[] = [
  createComment('c1', 'Romeo', 'It was the lark. I should know: I was the one who had to climb down.'),
  createComment('c2', 'Juliet Capulet', 'You were not looking.', {
    ...{ depth: 1, isAuthor: true, removeUrl: '/remove', edited: '2026-03-16T08:00:00Z' },
  }),
  createComment('c3', 'روميو', 'كنت أنظر.', { depth: 2, language: 'ar' }),
  createComment('c4', 'Juliet Capulet', 'Were not.', { depth: 3, isAuthor: true }),
  createComment('c5', 'Romeo', 'Deeper.', { depth: 3, to: 'Juliet Capulet', toUrl: '/@juliet/lark/comments/c4' }),
  createComment('room.c10', 'romeo in the room', 'Said in the room.', { isFromRoom: true, roomUrl: '/@juliet/room' }),
  createComment('c11', 'Nurse', 'Madam!', { isHeld: true }),
  createComment('c6', LONG_NAME, 'A plague on both your horizons.', {
    author: { name: LONG_NAME },
    isUnverified: true,
    removeUrl: '/remove',
  }),
  createComment('c7', 'Peter', 'The musicians say so too.', { accordingTo: 'pubsub.montague.example' }),
  createComment('c12', 'Јuliet Capulet', 'It was the nightingale.', {
    author: { name: 'Јuliet Capulet', beside: 'juliet.of-quite-another-house@a-server-with-a-long-name.example' },
  }),
  createComment('c10', 'Mercutio', 'I am hurt.', {
    proof: { site: 'The Verona Papers', jid: 'mercutio.the-kinsman-of-the-prince@montague.example', how: 'message' },
  }),
  createComment('c8', 'Nurse', 'Come in, it is cold.', { waiting, replyUrl: undefined }),
  createComment('c9', 'Nurse', 'Come in, I say.', {
    waiting: { reason: 'The author has closed the comments.', isRefused: true },
    discard: { action: '/comments/discard', token: 't', row: 7, mayEdit: true },
    replyUrl: undefined,
  }),
]
