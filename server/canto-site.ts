import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from './canto.ts'
import { AppError } from './errors.ts'
import { askReindex } from './feeds/indexing.ts'
import { isRunning } from './local/use-local-server.ts'
import { openState } from './store/database.ts'

/** `reindex`: the server does it, for it holds the site's session. */
export async function reindex({ config, say }: Call): Promise<void> {
  if (!existsSync(join(config.data, 'state.sqlite'))) {
    throw new AppError('not-found', `There is no site in ${config.data} yet: run npm start, or set CANTO_DATA`)
  }
  const state = await openState(join(config.data, 'state.sqlite'))
  try {
    await askReindex(state, new Date())
  } finally {
    await state.destroy()
  }
  say(isRunning(config) ? 'Canto reads everything anew now' : 'Canto will read everything anew at its next start')
}

/** `follow`: people follow blogs elsewhere; not built yet, and nothing is pretended. */
export async function follow({ args: [address] }: Call): Promise<void> {
  throw new AppError(
    'not-implemented',
    `This version cannot follow ${address}: it shows the blogs of its own authors only`,
  )
}

export async function relink(_call: Call): Promise<void> {
  throw new AppError('not-implemented', 'relink waits for the outbox')
}
