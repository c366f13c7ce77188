// One life of what makes entries anew, for remake.test.ts: it kills itself, as a crash would, at the entry of the given
// number, which is in the middle of a transaction.
import { createRemaker } from '#server/feeds/remaker.ts'
import { createTestContext } from '#test/support/context.ts'

const [indexPath, deadly] = process.argv.slice(2)
await using ctx = await createTestContext({ indexPath })
let entries = 0
// It is asked once for each entry.
const clock = () => {
  entries++
  if (entries === Number(deadly)) process.kill(process.pid, 'SIGKILL')
  return ctx.clock()
}
const remaker = createRemaker({ ...ctx, clock })
remaker.start()
await remaker.idle()
