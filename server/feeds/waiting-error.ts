import { AppError } from '#server/errors.ts'

/** It cannot be done before somebody does something; `reason` says what in one word. */
export class WaitingError extends AppError {
  readonly reason: string

  constructor(reason: string, message: string) {
    super('unavailable', message)
    this.reason = reason
  }
}
