import { AppError, describeError } from '#server/errors.ts'
import type { Bound } from '#server/store/keeps.ts'
import { type KeepDeps, requireUploadSpace } from '#server/store/space-left.ts'
import type { UploadFile, UploadSlot, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

export interface UploadDeps {
  readonly sessions: (jid: BareJid) => XmppSession | undefined
  readonly config: KeepDeps['config']
  /** Files and bytes that an account has uploaded, where its files are on this machine. */
  readonly measureUploads?: ((jid: BareJid) => Promise<Bound>) | undefined
}

/** A place for a file on a person's own server (XEP-0363). */
export async function requestUpload(deps: UploadDeps, jid: BareJid, file: UploadFile): Promise<UploadSlot> {
  const { sessions, config, measureUploads } = deps
  if (measureUploads !== undefined) requireUploadSpace(config, await measureUploads(jid), file.size)
  const session = sessions(jid)
  if (session?.status !== 'online') {
    const why =
      session?.problem === undefined ? 'Your XMPP server cannot be reached now' : describeError(session.problem)
    throw new AppError('unavailable', `${why}, so the picture cannot be uploaded. Your text is kept`)
  }
  if (session.requestUploadSlot === undefined) throw new AppError('not-implemented', 'Your XMPP server takes no files')
  return session.requestUploadSlot(file)
}
