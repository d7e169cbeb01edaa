// The words of the page: that no language lacks one, that each is used, and that no text has stayed behind in the page itself.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { statuses } from '../../lib/errors.ts'

type Words = Record<string, string | Record<string, string>>

const folder = new URL('../../static/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
const languages = { en: JSON.parse(read('words/en.json')) as Words, zh: JSON.parse(read('words/zh.json')) as Words }
const html = read('index.html').replace(/<!--[^]*?-->/g, '')
const modules = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => [name, withoutComments(read(name))]),
)

/** Keys that a module assembles, by how they begin; all others stand in a module or in index.html as they are. */
const assembled = ['connection.', 'role.', 'error.', 'emoji.']

// A text of what the server refuses stands only where its own English detail does not do.
const isOptional = (key: string): boolean => key.startsWith('error.')

/** The modules have no comment signs within texts but in addresses, which end no line. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

/** The texts of a module but for selectors, classes and what only programmers read; `{}` stands for what is put into one. */
function literalsOf(code: string): string[] {
  const rest = code
    .replace(
      /(?<=[=(:,] )\/(?:[^\\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*|(?<=\()\/(?:[^\\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g,
      '',
    ) // regular expressions
    .replace(/^import .*|\.(?:className|rel) = .*|new Error\(.*/gm, '')
    .replace(
      /\b(?:querySelector|querySelectorAll|closest|matches|matchMedia|within)\((?:[^'()`]*, )?(?:'[^']*'|`[^`]*`)/g,
      '',
    )
  return [...rest.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].map(
    ([, plain, template]) => plain ?? template!.replace(/\$\{[^}]*\}/g, '{}'),
  )
}

/** Is it for people? Two words, a word beside something put in, a word that begins as a sentence does, or Chinese. */
function isForPeople(text: string): boolean {
  return /\p{L}{2,}[,.:!?]? \p{L}{2,}|\{\} \(?\p{L}{2,}|\p{L}{2,}[,.:!?]? \{\}|^\p{Lu}\p{Ll}+\W*$|\p{Script=Han}/u.test(
    text,
  )
}

function formsOf(words: string | Record<string, string>): [form: string, text: string][] {
  return typeof words === 'string' ? [['', words]] : Object.entries(words)
}

function bracesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))].sort()
}

test('both languages have the same texts', () => {
  const [en, zh] = [languages.en, languages.zh].map((words) =>
    Object.keys(words)
      .filter((key) => !isOptional(key))
      .sort(),
  )
  assert.ok(en!.length > 100)
  assert.deepEqual(zh, en)
  for (const words of Object.values(languages)) {
    for (const [key, text] of Object.entries(words))
      for (const [, form] of formsOf(text)) assert.notEqual(form.trim(), '', key)
  }
})

test('a text has the same values in both languages, and in each of its forms', () => {
  for (const key of Object.keys(languages.en)) {
    // A form for one alone may leave out the count.
    const [first, ...others] = Object.values(languages)
      .flatMap((words) => formsOf(words[key]!).filter(([form]) => form !== 'one'))
      .map(([, text]) => bracesIn(text))
    for (const other of others) assert.deepEqual(other, first, key)
    for (const [, text] of formsOf(languages.en[key]!))
      for (const name of bracesIn(text)) assert.ok(first!.includes(name), key)
  }
})

test('a text that counts has the forms that its language needs, and no others', () => {
  for (const [language, words] of Object.entries(languages)) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted()
    for (const [key, text] of Object.entries(words)) {
      if (typeof text !== 'string') assert.deepEqual(Object.keys(text).sort(), needed, `${language}: ${key}`)
      assert.equal(
        typeof text,
        typeof languages.en[key] === 'undefined' ? 'string' : typeof languages.en[key],
        `${language}: ${key}`,
      )
    }
  }
})

test('everything that is said is there, and everything that is there is said', () => {
  const named = [...html.matchAll(/data-say(?:-\w+)?="([^"]*)"/g)].map(([, key]) => key!)
  const said = [...modules.values()].flatMap((code) =>
    [...code.matchAll(/\bsay\(\s*(?:[^()'`]*\? *)?'([^']+)'/g)].map(([, key]) => key!),
  )
  assert.ok(named.length > 80 && said.length > 20)

  const literals = new Set([...named, ...[...modules.values()].flatMap(literalsOf)])
  for (const key of [...named, ...said]) assert.ok(key in languages.en, `there is no text ${key}`)
  for (const key of Object.keys(languages.en)) {
    assert.ok(literals.has(key) || assembled.some((start) => key.startsWith(start)), `nothing says ${key}`)
  }
  for (const start of assembled) {
    assert.ok(
      [...modules.values()].some((code) => code.includes(`\`${start}\${`)),
      `nothing assembles ${start}`,
    )
  }
})

test('what stands in braces in a text of an element is one of its children', () => {
  for (const [whole, key, inside] of html.matchAll(
    /data-say="([^"]*)"[^>]*>(.*?)<\/(?:p|strong|h2|h3|button|label|span)>/g,
  )) {
    const children = [...inside!.matchAll(/data-value="(\w+)"/g)].map(([, name]) => name!)
    assert.deepEqual(bracesIn(String(languages.en[key!])), children.sort(), whole)
  }
})

test('no element of the page has a text of its own', () => {
  const body = html.slice(html.indexOf('<body>')).replace(/<noscript>[^]*?<\/noscript>/, '')
  const texts = [...body.matchAll(/>([^<]+)</g)].map(([, text]) => text!.trim()).filter((text) => text !== '')
  const attributes = [...body.matchAll(/\s(?:aria-label|title|placeholder|aria-description|alt)="([^"]+)"/g)].map(
    ([, text]) => text,
  )

  assert.deepEqual(texts, ['natter']) // the name of the place, which the server puts in
  assert.deepEqual(attributes, [])
})

test('no module has a text of its own', () => {
  const keys = new Set(['Enter', 'Escape', 'Tab', 'Home', 'End']) // of a keyboard
  for (const text of ['Not sent: {}', '{} new', 'To the newest', 'Copied', 'Sending…', '{} (archived)', '最新'])
    assert.ok(isForPeople(text), text)
  for (const [name, code] of modules) {
    if (name === 'log/emoji.js') continue // the names one searches by are of both languages at once
    for (const text of literalsOf(code)) assert.ok(!isForPeople(text) || keys.has(text), `${name} says: ${text}`)
  }
})

test('whatever the server may refuse has its text in Chinese', () => {
  const codes = Object.keys(statuses)
  assert.ok(codes.length > 25)

  assert.deepEqual(Object.keys(languages.zh).filter(isOptional).sort(), codes.map((code) => `error.${code}`).sort())
})

test('Chinese is written as one writes it', () => {
  for (const [key, words] of Object.entries(languages.zh)) {
    for (const [, text] of formsOf(words)) {
      const plain = text.replace(/\{\w+\}/g, 'x')
      assert.match(plain, /\p{Script=Han}|^x。$/u, key)
      assert.doesNotMatch(text, /您/, `${key}: one says 你`)
      assert.doesNotMatch(
        plain,
        /\p{Script=Han}[,.:;!?()]|[,:;!?()]\p{Script=Han}|\.\.\./u,
        `${key}: its marks are those of full width`,
      )
      assert.doesNotMatch(
        plain,
        /\p{Script=Han}[\p{Script=Latin}\d]|[\p{Script=Latin}\d]\p{Script=Han}/u,
        `${key}: a space stands between Chinese and Latin`,
      )
    }
  }
})
