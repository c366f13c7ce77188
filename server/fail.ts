import { AppError } from './errors.ts'
import { showControls } from './log.ts'

/** Says why the process ends, in words if it is an expected failure, and makes it exit with 1. */
export function failWith(error: unknown): void {
  process.exitCode = 1
  process.stderr.write(`${showControls(describeFailure(error))}\n`)
}

function describeFailure(error: unknown): string {
  if (error instanceof AppError) return error.message
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && String(error.code).startsWith('SQLITE_')) {
    return `A database in CANTO_DATA cannot be used (${error.message}): npm run canto -- doctor says which, and what to do`
  }
  // A failed system call explains itself; anything else is a mistake of ours, and only its trace helps to find it.
  return 'syscall' in error
    ? `Canto cannot go on: ${error.message}`
    : `Canto failed by a mistake of its own: ${error.stack}`
}
