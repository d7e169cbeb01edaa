// What stands behind the question mark, read with bounds.

import { ChatError } from '../errors.ts'

export const idIn = numberIn(/^\d{1,16}$/, 'the id of a message')

export const countIn = numberIn(/^(?!0+$)\d{1,6}$/, 'a whole number from 1 on')

/** Where a page of a list begins, and how long it may be. */
export function pagesIn(query: URLSearchParams): { after: string | undefined; limit: number | undefined } {
  return { after: query.get('after') ?? undefined, limit: countIn(query, 'limit') }
}

function numberIn(form: RegExp, what: string) {
  return (query: URLSearchParams, name: string): number | undefined => {
    const value = query.get(name)
    if (value === null) return undefined
    if (!form.test(value)) throw new ChatError('invalid_request', `${name} must be ${what}`)
    return Number(value)
  }
}
