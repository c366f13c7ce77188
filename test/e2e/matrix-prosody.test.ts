import { describe } from 'node:test'
import { showMatrix } from './matrix/show.ts'

// The rig is of test/support/rig.ts.
describe('the matrix of prosody', () => showMatrix('prosody'))
