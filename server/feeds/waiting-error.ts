import { AppError, type AppErrorOptions } from '#server/errors.ts'

/** It cannot be done, or not be seen to be done, before something else happens; `reason` says what in one word. */
export class WaitingError extends AppError {
  readonly reason: string

  constructor(reason: string, message: string, options: AppErrorOptions = {}) {
    super('unavailable', message, options)
    this.reason = reason
  }
}
