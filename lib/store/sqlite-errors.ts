// What SQLite's errors mean to us.

import type { Refusal } from '../errors.ts'

/** SQLite's primary result codes that we tell apart: https://www.sqlite.org/rescode.html */
export const codes = { busy: 5, corrupt: 11, full: 13, tooBig: 18, constraint: 19, mismatch: 20, notDatabase: 26 }

/** Does the error say that the file is damaged? */
export function isDamage(error: unknown): boolean {
  return sqliteCode(error) === codes.corrupt || sqliteCode(error) === codes.notDatabase
}

/** Is it the disk's fault, or the file's? Else it is a value's, or ours. */
export function isStorageFailure(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && code !== codes.tooBig && code !== codes.constraint && code !== codes.mismatch
}

export const damaged: Refusal = {
  code: 'storage_damaged',
  message: 'the database is damaged; nothing more is written until its owner has mended it',
}

/** The primary result code of an error that SQLite threw. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
