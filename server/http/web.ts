import type { Assets } from './assets.ts'
import type { AppContext } from './context.ts'
import type { Cookies } from './cookies.ts'
import type { FormTokens } from './form-tokens.ts'
import type { LiveStreams } from './live-stream.ts'
import type { Pictures } from './picture/pictures.ts'

/** What routes have in common: the site, and the web side's own parts. */
export interface Web {
  readonly ctx: AppContext
  readonly assets: Assets
  readonly cookies: Cookies
  readonly tokens: FormTokens
  readonly pictures: Pictures
  readonly streams: LiveStreams
}
