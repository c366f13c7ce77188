import type * as view from '#web/views.ts'

type LayoutOf = (title: string, more?: Partial<view.Layout>) => view.Layout

const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
const FAMILY = '👨‍👩‍👧‍👦'

const chips = [
  { emoji: '♥', shown: '♥\ufe0e', count: 10_000, isOwn: true },
  { emoji: '👷', shown: '👷', count: 2, isOwn: false },
  { emoji: FAMILY, shown: FAMILY, count: 1, isOwn: true },
]

/** Under a post: for who is signed in, and for who is not. */
export const reactions: view.ReactionsView = {
  chips,
  whoUrl: '/@juliet/lark/reactions',
  form: { action: '/@juliet/lark/reactions', token: 't' },
  offered: ['👍', '👏', '😂', '😮', '😢', '🎉', '🤔', '🙏', '🔥', '👀', '💯', '🌹'],
  problem: 'The blog does not take reactions from you here.',
}
export const reactionsSignedOut: view.ReactionsView = {
  chips: chips.map((chip) => ({ ...chip, isOwn: false })),
  ...{ whoUrl: '/@juliet/lark/reactions', signinUrl: '/signin' },
}

/** Who reacted, a page of many, and nobody. */
export function reactionSamples(layout: LayoutOf): [name: string, view: view.ReactorsView][] {
  const post = { title: 'The lark', url: '/@juliet/lark' }
  const counts = chips.map(({ shown, count }) => ({ shown, count }))
  return [
    [
      'reactions',
      {
        ...{ layout: layout('The lark'), post, counts, earlierUrl: '?', laterUrl: '?page=3' },
        people: [
          { name: 'Romeo', emoji: '♥︎ 👷', url: '/@romeo' },
          { name: LONG, emoji: chips.map(({ shown }) => shown.repeat(20)).join(' ') },
          { name: 'روميو', beside: 'romeo@montague.example', emoji: FAMILY },
        ],
      },
    ],
    ['reactions-empty', { layout: layout('The lark'), post, counts: [], people: [] }],
  ]
}
