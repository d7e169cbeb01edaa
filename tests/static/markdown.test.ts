// What the page makes of a message's text, as far as it is no element yet. (That the elements are harmless is in tests/browser.)

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldName as foldOnServer } from '../../lib/chat/people/names.ts'
import { mentionsIn as mentionsOnServer } from '../../lib/chat/talk/text.ts'
import { property, type Random } from '../random.ts'

type Inline =
  | string
  | {
      kind: string
      text?: string
      inlines?: Inline[]
      href?: string
      before?: string
      host?: string
      after?: string
      who?: string
    }
type Block =
  | string
  | {
      kind: string
      inlines?: Inline[]
      blocks?: Block[]
      items?: { marker: string; depth: number; inlines: Inline[] }[]
      language?: string
      text?: string
      large?: boolean
    }
type Find = (name: string) => 'me' | 'other' | undefined

// The page's own, which are checked with the page.
const page = async (name: string) => await import(new URL(`../../static/${name}`, import.meta.url).href)
const { parseBlocks }: { parseBlocks: (text: string, find?: Find) => Block[] } =
  await page('markdown/markdown-blocks.js')
const {
  foldName,
  mentionAtEndOf,
  mentionsIn,
}: {
  foldName: (name: string) => string
  mentionAtEndOf: (text: string) => { start: number; name: string } | undefined
  mentionsIn: <Found>(
    text: string,
    find: (name: string) => Found | undefined,
  ) => { start: number; end: number; found: Found }[]
} = await page('composer/mentions.js')

const names: Record<string, 'me' | 'other'> = {
  ada: 'me',
  'ada lovelace': 'other',
  x_y: 'other',
  小明: 'other',
  '*bold*': 'other',
  room: 'me',
}
const find: Find = (name) => names[name.toLowerCase()]

/** The elements, written as short tags: what is marked is seen, and what is not. */
function shown(text: string): string {
  return parseBlocks(text, find).map(blockShown).join('')
}

function blockShown(block: Block): string {
  if (typeof block === 'string') return block
  if (block.kind === 'quote') return `<q>${block.blocks!.map(blockShown).join('')}</q>`
  if (block.kind === 'list')
    return block
      .items!.map(
        ({ marker, depth, inlines }) => `<li${depth || ''}>${marker} ${inlines.map(inlineShown).join('')}</li>`,
      )
      .join('')
  if (block.kind === 'block') return `<pre${block.language && ` ${block.language}`}>${block.text}</pre>`
  const inner = block.inlines!.map(inlineShown).join('')
  return block.large ? `<large>${inner}</large>` : inner
}

function inlineShown(inline: Inline): string {
  if (typeof inline === 'string') return inline
  if (inline.kind === 'link') return `<a ${inline.href}>${inline.before}${inline.host}${inline.after}</a>`
  if (inline.kind === 'mention') return `<${inline.who}>${inline.text}</${inline.who}>`
  const tag = { strong: 'b', emphasis: 'i', strike: 's', code: 'code' }[inline.kind]
  return `<${tag}>${inline.text ?? inline.inlines!.map(inlineShown).join('')}</${tag}>`
}

/** What a reader gets to read. */
function textOf(part: Block | Inline): string {
  if (typeof part === 'string') return part
  if ('items' in part && part.items)
    return part.items.map(({ marker, inlines }) => `${marker} ${inlines.map(textOf).join('')}`).join('\n')
  if (part.kind === 'link')
    return `${(part as { before: string }).before}${(part as { host: string }).host}${(part as { after: string }).after}`
  if (part.kind === 'block' && 'language' in part && part.language) return `${part.language}\n${part.text}`
  if (part.text !== undefined) return part.text
  return [...((part as { inlines?: Inline[] }).inlines ?? (part as { blocks?: Block[] }).blocks ?? [])]
    .map(textOf)
    .join('')
}

function depthOf(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0
  return 1 + Math.max(0, ...Object.values(part).map(depthOf))
}

function holds(cases: Record<string, string>): void {
  for (const [text, expected] of Object.entries(cases)) assert.equal(shown(text), expected, JSON.stringify(text))
}

test('bold, italic, struck and code are marked', () => {
  holds({
    '**bold**': '<b>bold</b>',
    'a *word* b': 'a <i>word</i> b',
    _word_: '<i>word</i>',
    '~~gone~~': '<s>gone</s>',
    '`code`': '<code>code</code>',
    '**a *b* c**': '<b>a <i>b</i> c</b>',
    '*a **b** c*': '<i>a <b>b</b> c</i>',
    '***both***': '<b><i>both</i></b>',
    '(*word*)!': '(<i>word</i>)!',
    '**two\nlines**': '<b>two\nlines</b>',
    '``a`b``': '<code>a`b</code>',
    '`` `a` ``': '<code>`a`</code>',
    '` a `': '<code> a </code>',
    '`**a**`': '<code>**a**</code>',
    '**`a`**': '<b><code>a</code></b>',
    '_**a**_': '<i><b>a</b></i>',
    '**bold *not**': '<b>bold *not</b>',
    '*one and *two*': '*one and <i>two</i>',
  })
})

test('what only looks like a mark stays as it was typed', () => {
  for (const text of [
    'snake_case_name',
    '__init__',
    '2*3*4',
    '2 * 3 * 4',
    '* not a list',
    '*',
    '**',
    '****',
    '* *',
    '**a',
    'a**',
    '*a',
    '*.js and *.ts',
    'f(*args, **kwargs)',
    'un**der',
    '_',
    '_a',
    '~a~',
    '~~~a~~~',
    '~~ a ~~',
    '`',
    '``',
    '`a',
    '``a`',
    '** a **',
    '**a\n\nb**',
    '`a\n\nb`',
    '[text](b)',
    '<b>a</b>',
    '&lt;',
    '# a',
    '---',
    '>_<',
    '>:(',
    '> ',
    '>',
    '>>>',
    '-',
    '- ',
    '-a',
    '1.',
    '1.a',
    '2.5',
    '- \n-',
    '```',
    '```\n```',
    '```js\n\n```',
    '~',
    '¯\\_(ツ)_/¯',
    'C:\\new',
    '\\d+',
    '\\\\server',
    '\\',
    ':)',
    '*waves',
  ])
    assert.equal(shown(text), text)
})

test('Chinese beside a mark is no part of a word', () => {
  holds({
    '**粗体**后面': '<b>粗体</b>后面',
    '前面**粗体**': '前面<b>粗体</b>',
    '这是*斜体*字': '这是<i>斜体</i>字',
    '他说**“你好”**然后': '他说<b>“你好”</b>然后',
    '**注意：**看': '<b>注意：</b>看',
    中_文_字: '中<i>文</i>字',
    '用`npm`装': '用<code>npm</code>装',
    'これは**太字**です': 'これは<b>太字</b>です',
    '>引用': '<q>引用</q>',
    '中文*word*中文': '中文<i>word</i>中文',
    '~~删除~~了': '<s>删除</s>了',
  })
})

test('a backslash takes a mark its meaning, and is kept before anything else', () => {
  holds({
    '\\*a\\*': '*a*',
    '\\**a*': '*<i>a</i>',
    '\\_a_': '_a_',
    '\\`a`': '`a`',
    '\\~~a~~': '~~a~~',
    '\\> a': '> a',
    '\\- a': '- a',
    '1\\. a': '1. a',
    'a\\-b': 'a\\-b',
    'a1\\. b': 'a1\\. b',
    '`\\*`': '<code>\\*</code>',
    'a\n\\> b': 'a\n> b',
    '\\\\*a*': '\\*a*',
    '\\```a```': '```a```',
  })
})

test('quotes, lists and blocks of code', () => {
  holds({
    '> a': '<q>a</q>',
    '> a\n> b\nc': '<q>a\nb</q>\nc',
    'a\n> b\n\nc': 'a\n<q>b</q>\n\nc',
    '> > a\n> b': '<q><q>a</q>\nb</q>',
    '>> a': '<q><q>a</q></q>',
    '>\n> a': '<q>\na</q>',
    '> **a**': '<q><b>a</b></q>',
    '> - a\n> - b': '<q><li>• a</li><li>• b</li></q>',
    '- a\n- b': '<li>• a</li><li>• b</li>',
    '* a\n* b': '<li>• a</li><li>• b</li>',
    '1. a\n2) b': '<li>1. a</li><li>2) b</li>',
    '1986. A good year': '<li>1986. A good year</li>',
    '- a\n  - b\n    more\n- c': '<li>• a</li><li1>• b\nmore</li><li>• c</li>',
    'a:\n- b\nc': 'a:\n<li>• b</li>\nc',
    '• a': '<li>• a</li>',
    '- **a** `b`': '<li>• <b>a</b> <code>b</code></li>',
    '```\na\n  b\n```': '<pre>a\n  b</pre>',
    '```js\na\n```\nafter': '<pre js>a</pre>\nafter',
    'a\n```\n**b**\n> c': 'a\n<pre>**b**\n> c</pre>',
    '````\n```\n````': '<pre>```</pre>',
    '```one line```': '<code>one line</code>',
    '> ```\n> a\n> ```': '<q><pre>a</pre></q>',
  })
  assert.equal(depthOf(parseBlocks('>'.repeat(4000) + ' a')) < 20, true)
})

test('an address is a link with the host it leads to, and no other text is', () => {
  const link = (text: string, href = text) => `<a ${href}>${text}</a>`
  const plain = link('http://a.example/')
  holds({
    'http://a.example/': plain,
    'see http://a.example/.': `see ${plain}.`,
    '(http://a.example/)': `(${plain})`,
    '<http://a.example/>': `<${plain}>`,
    '"http://a.example/", ok': `"${plain}", ok`,
    '[a](http://a.example/)': `[a](${plain})`,
    '**http://a.example/**': `<b>${plain}</b>`,
    '_http://a.example/_': `<i>${plain}</i>`,
    'http://a.example/?!...': `${plain}?!...`,
    'https://a.example/b_(c)': link('https://a.example/b_(c)'),
    '(https://a.example/b_(c))': `(${link('https://a.example/b_(c)')})`,
    'https://a.example/x_y*z': link('https://a.example/x_y*z'),
    'https://a.example/@ada': link('https://a.example/@ada'),
    'HTTPS://A.example/B': link('HTTPS://A.example/B', 'https://a.example/B'),
    'http://localhost:8080/#a': link('http://localhost:8080/#a'),
    'https://a.example': link('https://a.example', 'https://a.example/'),
    // Chinese goes on right after it.
    '看https://a.example/b。好': `看${link('https://a.example/b')}。好`,
    '看https://a.example/b这里': `看${link('https://a.example/b')}这里`,
    '（https://a.example/b）': `（${link('https://a.example/b')}）`,
    'https://a.example/wiki/中文': link('https://a.example/wiki/中文', 'https://a.example/wiki/%E4%B8%AD%E6%96%87'),
    // A host is what the browser makes of it.
    'https://例子.中国/a': link('https://xn--fsqu00a.xn--fiqs8s/a'),
    'https://аpple.com/': link('https://xn--pple-43d.com/'),
    'http://2130706433/': link('http://127.0.0.1/'),
    'https://a.example:443/': link('https://a.example/'),
  })
  for (const text of [
    'https://bank.example@evil.example/',
    'https://bank.example:1@evil.example',
    'javascript:alert(1)',
    'data:text/html,a',
    'file:///etc/passwd',
    'ftp://a.example',
    'http://',
    'https://',
    'http:///',
    'xhttp://a.example',
    'http://[',
    'www.a.example',
    '//a.example',
    'https:/a.example',
    'vbscript:x',
    'HTTP',
    'http',
  ]) {
    assert.equal(shown(text), text)
  }
  assert.equal(
    shown('https://bank.example\\@evil.example'),
    `${link('https://bank.example', 'https://bank.example/')}\\@evil.example`,
  )
  assert.equal(shown('https://a.example/\u202Emoc'), `${link('https://a.example/')}\u202Emoc`)
})

test('a mention is marked where the server found it', () => {
  holds({
    '@ada': '<me>@ada</me>',
    'hello @Ada!': 'hello <me>@Ada</me>!',
    '@ada lovelace, look': '<other>@ada lovelace</other>, look',
    '@adam': '@adam',
    'x@ada': 'x@ada',
    '@x_y and _a_': '<other>@x_y</other> and <i>a</i>',
    '谢谢@小明，再见': '谢谢<other>@小明</other>，再见',
    '**@ada**': '<b><me>@ada</me></b>',
    '> @ada': '<q><me>@ada</me></q>',
    '`@ada`': '<code>@ada</code>',
    '@*bold*': '<other>@*bold*</other>',
    '@room': '<me>@room</me>',
    '\\@ada': '\\<me>@ada</me>',
    '_@ada_': '<i>@ada</i>',
    '@nobody': '@nobody',
  })
})

test('what an @ begins that is not finished yet is found at the end of a text', () => {
  const cases: [string, string | undefined][] = [
    ['@', ''],
    ['@a', 'a'],
    ['hi @ada love', 'ada love'],
    ['x@a', undefined],
    ['你好@小', '小'],
    ['@a\n', undefined],
    ['@a @b', 'b'],
    ['(@a', 'a'],
    ['', undefined],
  ]
  for (const [text, name] of cases) assert.equal(mentionAtEndOf(text)?.name, name, text)
  assert.equal(mentionAtEndOf(`${'x'.repeat(500)} @ada`)!.start, 501)
})

property('the page finds the mentions that the server finds', (random) => {
  const known = ['ada', 'Ada Lovelace', 'x_y', '小明', 'c++', '😀', 'İnci', 'straße']
  for (let round = 0; round < 500; round++) {
    const text = random
      .times(12, () =>
        random.pick([...known, '@', '@', ' ', '\n', 'a', '_', '京', '.', 'ＡＤＡ', '\u0301', random.text(2)]),
      )
      .join('')
    const onServer = mentionsOnServer(text, (name) => known.find((one) => foldOnServer(one) === foldOnServer(name)))
    const onPage = mentionsIn(text, (name) => known.find((one) => foldName(one) === foldName(name)))

    assert.deepEqual(
      onPage.map(({ found }) => found),
      onServer,
      JSON.stringify(text),
    )
    for (const { start, end, found } of onPage) assert.equal(foldName(text.slice(start + 1, end)), foldName(found))
  }
})

test('an emoji or three alone are shown large', () => {
  for (const text of ['😀', '👍🏽', '❤️ 🎉', '👩‍👩‍👧🇩🇪1️⃣', ' 😀\n'])
    assert.equal(shown(text), text.replace(/[^\n]+/, '<large>$&</large>'))
  for (const text of ['1', '#', '😀a', '😀😀😀😀', '> 😀', '😀'.repeat(100)]) assert.doesNotMatch(shown(text), /large/)
})

const pieces = [
  '**',
  '*',
  '_',
  '~~',
  '`',
  '``',
  '```',
  '> ',
  '>',
  '- ',
  '* ',
  '1. ',
  '2) ',
  '\n',
  '\n',
  '\n\n',
  ' ',
  '  ',
  '\\',
  '\t',
  '@',
  '@ada',
  '[',
  '](',
  ')',
  'a',
  'word',
  '粗体',
  '，',
  '2',
  '.',
  'http://a.example/',
  'http://a.example/(b)',
  '😀',
  '```js\n',
  '<b>',
  '&amp;',
  '京',
]

function anyText(random: Random): string {
  return random.times(30, () => (random.chance(0.9) ? random.pick(pieces) : random.text(3))).join('')
}

property('every character that is not a mark is there, in its order', (random) => {
  for (let round = 0; round < 2000; round++) {
    const text = anyText(random)
    const read = parseBlocks(text, find).map(textOf).join('')

    // What is missing are marks, white space around the marks of lines, and nothing else.
    let at = 0
    for (const sign of read) {
      // A tab behind the mark of a line is shown as a space.
      const isShownAs = (typed: string) => (sign === '•' && /[-*]/.test(typed)) || (sign === ' ' && typed === '\t')
      while (at < text.length && !text.startsWith(sign, at) && !isShownAs(text[at]!)) {
        assert.match(
          text[at]!,
          /[*_~`>\\\s]/,
          `${JSON.stringify(text[at])} is lost from ${JSON.stringify(text)}, read as ${JSON.stringify(read)}`,
        )
        at++
      }
      assert.ok(
        at < text.length,
        `${JSON.stringify(sign)} is not in ${JSON.stringify(text)}, read as ${JSON.stringify(read)}`,
      )
      at += sign.length
    }
    assert.match(text.slice(at), /^[*_~`>\\\s]*$/, `the end is lost from ${JSON.stringify(text)}`)
    assert.equal(
      read.replace(/\s/g, '') === '',
      text.replace(/\s/g, '') === '',
      `${JSON.stringify(text)} shows nothing`,
    )
    assert.ok(depthOf(parseBlocks(text, find)) < 100)
  }
})

property('a text without marks is not changed', (random) => {
  for (let round = 0; round < 500; round++) {
    const text = random
      .text(60)
      .replace(/[*_~`>\\@•-]|\d/g, '')
      .replace(/https?/gi, '')
    assert.equal(parseBlocks(text, find).map(textOf).join(''), text)
  }
})

test('the longest text is read in no time, whatever it is full of', () => {
  const full = [
    '*',
    '**',
    '_',
    '~',
    '`',
    '>',
    '[',
    '(',
    '\\',
    '@',
    '-',
    '\n',
    ' ',
    '\t',
    '#',
    '¯',
    '1.',
    '*a',
    'a*',
    '*a ',
    '**a ',
    '*a _b ~~c **d ',
    'a* ',
    '`a',
    '``a`',
    '> ',
    '>\n',
    '> > \n',
    '- \n',
    '- a\n',
    '  - a\n',
    '1. a\n',
    '```\n',
    '```a\n\n',
    '\\*',
    '¯\\_',
    '\n \n',
    '*体',
    '**体**体',
    '@a ',
    '@a.',
    '@ada ',
    'http://',
    'http:// ',
    'https://a.b/((',
    'https://a.b/京',
    'https://a.b?*',
    '((((https://a.b/)))) ',
    `https://a.b/${')'.repeat(80)} `,
    '😀',
    '\u0301',
    '京',
  ]
  const texts = [
    ...full.map((piece) => [...piece.repeat(4000)].slice(0, 4000).join('')),
    `https://a.b/${')'.repeat(3900)}`,
    `https://a.b/${'.'.repeat(3900)}`,
    `https://a.b/${'(.'.repeat(1900)}`,
    Array.from({ length: 88 }, (_, length) => '`'.repeat(length)).join(' '),
    `😀${' '.repeat(3990)}x`,
    `> ${'\n> '.repeat(1300)}`,
    `- a\n${'  b\n'.repeat(990)}`,
    `1${'0'.repeat(3990)}. a`,
  ]
  for (const text of texts) {
    const ms = Math.min(
      ...Array.from({ length: 4 }, () => {
        const began = performance.now()
        parseBlocks(text, find)
        return performance.now() - began
      }),
    )
    assert.ok(ms < 20, `${ms} ms for ${text.slice(0, 20)}`)
  }
})

test('twice the text takes no more than a few times as long', () => {
  // Far longer than a message, so that what grows with the square of its length would take minutes.
  const began = performance.now()
  for (const piece of [
    '*a ',
    '**',
    '`a',
    '``a` ',
    '>\n',
    '> > ',
    '[',
    '\\',
    '- a\n',
    '```\n',
    '*a _b ~~c **d ',
    'http://',
    'https://a.b/(( ',
    '@',
    '(',
    ')',
    ' ',
    '\n',
  ])
    parseBlocks(piece.repeat(100_000), find)
  assert.ok(performance.now() - began < 20_000)
})
