import { keepBusy } from './busy.ts'
import { saveDrafts } from './drafts.ts'
import { keepComments } from './kept-comments.ts'
import { forgetWhenSignedOut } from './leaving.ts'
import { listenForChanges } from './live.ts'
import { completeMentions } from './mention.ts'
import { speakInPlace } from './room.ts'
import { showLocalTimes } from './times.ts'
import { refreshMarks } from './way-back.ts'

showLocalTimes(document)
keepBusy()
forgetWhenSignedOut(saveDrafts())
keepComments()
listenForChanges()
completeMentions()
speakInPlace()
refreshMarks()
