/** Every code an error of ours may have, and the HTTP status a page answers it with. */
export const ERROR_STATUS = {
  'bad-request': 400,
  'not-authorized': 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 410,
  'length-required': 411,
  'too-large': 413,
  'stanza-too-big': 413,
  'too-many': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
  timeout: 504,
  'no-room': 507,
} as const satisfies Record<string, number>

export type ErrorCode = keyof typeof ERROR_STATUS

export interface AppErrorOptions {
  readonly cause?: unknown
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
  /** Where it is a whole server, and not what was asked of it, that is not there or does not answer. */
  readonly server?: 'not-found' | 'silent'
  /** The condition of XEP-0060 beside that of the stanza, as `closed-node`. */
  readonly pubsubCondition?: string | undefined
}

/** An expected failure: its message is one sentence for the person in front of it, never a stack trace. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly retryAfter: number | undefined
  readonly server: AppErrorOptions['server']
  readonly pubsubCondition: string | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.retryAfter = options.retryAfter
    this.server = options.server
    this.pubsubCondition = options.pubsubCondition
  }

  /** The HTTP status; fastify reads this property too. */
  get statusCode(): number {
    return ERROR_STATUS[this.code]
  }
}

/** Whether `error` is ours, with one of these codes if any are named. */
export function isAppError(error: unknown, ...codes: ErrorCode[]): error is AppError {
  return error instanceof AppError && (codes.length === 0 || codes.includes(error.code))
}

/** What went wrong in words: the message of ours as it is, of anything else its message alone. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Says that a text has more characters than fit. `what` begins the sentence, as in "This comment". */
export function explainTooLong(what: string, length: number, most: number): string {
  const [has, fits] = [length, most].map((count) => count.toLocaleString('en'))
  return `${what} is too long: it has ${has} characters, and ${fits} fit. Shorten it.`
}
