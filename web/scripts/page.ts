import { keepBusy } from './busy.ts'
import { saveDrafts } from './drafts.ts'
import { listenForChanges } from './live.ts'
import { completeMentions } from './mention.ts'
import { speakInPlace } from './room.ts'
import { showLocalTimes } from './times.ts'
import { refreshMarks } from './way-back.ts'

showLocalTimes(document)
keepBusy()
saveDrafts()
listenForChanges()
completeMentions()
speakInPlace()
refreshMarks()
