import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Ask } from './requests.ts'

const TIME = 'urn:xmpp:time'

/** What time it is for another entity (XEP-0202). */
export async function readEntityTime(ask: Ask, who: BareJid): Promise<Date> {
  const answer = await ask('get', who, new Element('time', { xmlns: TIME }))
  const time = new Date(answer.getChild('time', TIME)?.getChildText('utc') ?? '')
  if (Number.isNaN(time.getTime())) throw new AppError('bad-request', `${who} does not tell the time`)
  return time
}
