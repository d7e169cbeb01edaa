// The page's modules are served without their comments, which regular expressions find: what is left means the same.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { transformSync } from 'esbuild' // which comes with tsx
import { readFiles } from '../../lib/http/page/page.ts'

const folder = new URL('../../static/', import.meta.url)

/** The program as a real parser understands it, written without comments and in one way; it throws if there is none. */
function meaningOf(code: string): string {
  return transformSync(code, { format: 'esm', minifyWhitespace: true, legalComments: 'none' }).code
}

test('a module without its comments is the same program, line by line', () => {
  const served = readFiles({ base: '', name: 'natter' })
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
  assert.ok(modules.length > 30)
  for (const name of modules) {
    const written = readFileSync(new URL(name, folder), 'utf8')
    const left = Buffer.from(served.get(name)!.bytes).toString()

    assert.equal(meaningOf(left), meaningOf(written), name)
    assert.equal(left.split('\n').length, written.split('\n').length, name)
    assert.doesNotMatch(left, /^\s*\/\/|@ts-check|@param/m, `${name} has kept comments`)
  }
})

test('that comparison sees a text that has lost something, and a program that has fallen apart', () => {
  assert.equal(meaningOf('say(1) // why\n  say(2)'), meaningOf('say(1)\n/** what */\nsay(2)'))
  for (const [written, left] of [
    ["say('a // b')", "say('a')"],
    ['say(`a\n  b`)', 'say(`a\nb`)'],
    ['say(1)\nsay(2)', 'say(1)\n'],
    ['/a[ ]b/u.test(text)', '/a[]b/u.test(text)'],
  ] as const) {
    assert.notEqual(meaningOf(left), meaningOf(written))
  }
  assert.throws(() => meaningOf("say('a"))
})
