import { AppError, describeError } from '#server/errors.ts'
import type { UploadFile, UploadSlot, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

export interface UploadDeps {
  readonly sessions: (jid: BareJid) => XmppSession | undefined
}

/** Where somebody's own server takes a file (XEP-0363). */
export async function requestUpload({ sessions }: UploadDeps, jid: BareJid, file: UploadFile): Promise<UploadSlot> {
  const session = sessions(jid)
  if (session?.status !== 'online') {
    const why =
      session?.problem === undefined ? 'Your XMPP server cannot be reached now' : describeError(session.problem)
    throw new AppError('unavailable', `${why}, so the picture cannot be uploaded. Your text is kept`)
  }
  if (session.requestUploadSlot === undefined) throw new AppError('not-implemented', 'Your XMPP server takes no files')
  return session.requestUploadSlot(file)
}
