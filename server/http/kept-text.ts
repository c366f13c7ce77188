import { AppError } from '#server/errors.ts'
import { keepPlacedDraft, type PlacedDraft } from '#server/people/drafts.ts'
import type { AppContext } from './context.ts'
import type { FormSender } from './form-guard.ts'

type Deps = Pick<AppContext, 'clock'> & Parameters<typeof keepPlacedDraft>[0]

/**
 * Keeps the text of a form whose session is over for the account that typed it, and for nobody else. Throws `forbidden`
 * where somebody else is signed in now.
 */
export async function keepForOwner(deps: Deps, sender: FormSender, draft: PlacedDraft): Promise<void> {
  if (sender.kind === 'own' || sender.kind === 'unknown') return
  const { kind, owner } = sender
  if (draft.text.trim() !== '') await keepPlacedDraft(deps, owner, { ...draft, now: deps.clock() })
  if (kind !== 'other') return
  throw new AppError(
    'forbidden',
    `You are signed in as somebody else now. The text is kept for ${owner}, in the form where it was written.`,
  )
}
