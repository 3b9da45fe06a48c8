/**
 * Three kinds of failure, three treatments: what the user did is a `SqlError` with a SQLSTATE; what the world did is retried in one
 * store wrapper or surfaces as a `SqlError` of class 58; what we did wrong is an `InternalError`, never reachable from SQL.
 */

/** What a `SqlError` may carry besides its code and message; the names are those of the wire protocol's error fields. */
export interface ErrorDetails {
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** 1-based position in characters of the statement's text. */
  readonly position?: number | undefined
  /** Where in the engine it was noticed: a file of a lake, a table, an option. */
  readonly where?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly severity?: 'ERROR' | 'FATAL' | 'PANIC' | undefined
  readonly cause?: unknown
}

/** The user's failure: a five-character SQLSTATE, Postgres's wording where Postgres has one, and where it is. */
export class SqlError extends Error {
  readonly code: string
  readonly details: ErrorDetails
  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SqlError'
    this.code = code
    this.details = details
  }
  /** The same error with more said about where it happened; what is already said stays. */
  with(more: ErrorDetails): SqlError {
    const error = new SqlError(this.code, this.message, { ...more, ...this.details })
    error.stack = this.stack ?? ''
    return error
  }
  /** The same error in a longer text: its position, if it has one, counts from `by` characters before. */
  moved(by: number): SqlError {
    if (this.details.position === undefined || by === 0) return this
    const error = new SqlError(this.code, this.message, { ...this.details, position: this.details.position + by })
    error.stack = this.stack ?? ''
    return error
  }
}

/** Our own failure. Its message reaches the user as XX000; its stack is logged. */
export class InternalError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InternalError'
  }
}

/** Throws `InternalError` unless the condition holds. Never for anything a user, a file or the network can cause. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InternalError(why)
}

/** Ends a switch over a closed union: a compile error when a case is missing. */
export function unreachable(value: never): never {
  throw new InternalError(`unreachable: ${JSON.stringify(value)}`)
}

/** SQLSTATE 0A000: understood, but not supported here. `what` is a noun phrase: "merge engine aggregation". */
export function unsupported(what: string, details: ErrorDetails = {}): SqlError {
  return new SqlError('0A000', `${what} is not supported`, details)
}

/** SQLSTATE XX001: a file of the lake does not say what its format demands. */
export function corrupt(path: string, what: string, cause?: unknown): SqlError {
  return new SqlError('XX001', `${path}: ${what}`, { where: path, cause })
}

/** An error as plain data: `structuredClone` of an error drops its class and code, so threads pass this. */
export interface ErrorData {
  readonly code: string
  readonly message: string
  readonly details: Omit<ErrorDetails, 'cause'>
  readonly stack: string
}

/** Any thrown value as plain data; what is not a `SqlError` becomes XX000. */
export function errorToData(error: unknown): ErrorData {
  if (error instanceof SqlError) {
    const { cause: _, ...details } = error.details
    return { code: error.code, message: error.message, details, stack: error.stack ?? '' }
  }
  if (error instanceof Error) return { code: 'XX000', message: error.message, details: {}, stack: error.stack ?? '' }
  return { code: 'XX000', message: String(error), details: {}, stack: '' }
}

/** The inverse of `errorToData`. */
export function errorFromData(data: ErrorData): SqlError {
  const error = new SqlError(data.code, data.message, data.details)
  error.stack = data.stack
  return error
}
