// What stands behind the question mark, read with bounds.

import { ChatError } from '../errors.ts'

export function idIn(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null) return undefined
  if (!/^\d{1,16}$/.test(value)) throw new ChatError('invalid_request', `${name} must be the id of a message`)
  return Number(value)
}

export function countIn(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null) return undefined
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) throw new ChatError('invalid_request', `${name} must be a whole number from 1 on`)
  return Number(value)
}
