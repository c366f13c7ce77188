import { AppError } from './errors.ts'

/** Says why the process ends, in words if it is an expected failure, and makes it exit with 1. */
export function failWith(error: unknown): void {
  process.exitCode = 1
  process.stderr.write(`${describeFailure(error)}\n`)
}

function describeFailure(error: unknown): string {
  if (error instanceof AppError) return error.message
  if (!(error instanceof Error)) return String(error)
  // A failed system call explains itself; anything else is a mistake of ours, and only its trace helps to find it.
  return 'syscall' in error
    ? `Canto cannot go on: ${error.message}`
    : `Canto failed by a mistake of its own: ${error.stack}`
}
