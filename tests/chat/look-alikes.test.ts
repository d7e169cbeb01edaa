// Which names look alike, and that the names people really have are possible, all of them in one place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanName, cleanPersonName, foldName, readName } from '../../lib/chat/people/names.ts'
import { confusables } from '../../lib/store/tables/confusables.ts'
import { looksOf } from '../../lib/store/tables/look-alikes.ts'
import { property } from '../random.ts'

const alike = (one: string, other: string) => looksOf(one).some((look) => looksOf(other).includes(look))

const honest = [
  'Ada',
  'Ада',
  'ΑΔΑ',
  'Άδα',
  'Ian',
  'Lan',
  'Liam',
  'Lia',
  'Ilya',
  'Илья',
  'Олена',
  'Їжак',
  'Ђорђе',
  'Љубица',
  'Ελένη',
  'Γιάννης',
  'Σίσυφος',
  'Işıl',
  'Ilgın',
  'İnci',
  'Ümit',
  'Strauß',
  'GROẞ',
  'Søren',
  'Åsa',
  'Łukasz',
  'Þóra',
  'Ștefan',
  'Zoë',
  'Siân',
  "O'Neill",
  'Jean-Luc',
  'Núñez',
  'Nguyễn Thị Ánh',
  'Đặng Hữu Phước',
  'Trịnh',
  'Ịkẹ́',
  'Ị́fẹ́',
  'Hastį́į́n',
  'Adébáyọ̀',
  '김민준',
  '이서연',
  '박하늘',
  '小明',
  '王伟',
  '佐藤',
  'さくら',
  'サクラ',
  '林さん',
  'محمد',
  'فاطمة',
  'علی',
  'مُحَمَّد',
  'דוד',
  'שָׁלוֹם',
  'רון',
  'अमित',
  'प्रिया',
  'श्री',
  'সুমন',
  'ਗੁਰਪ੍ਰੀਤ',
  'தமிழ்செல்வி',
  'లక్ష్మి',
  'ಕನ್ನಡ',
  'മലയാളം',
  'සමන්',
  'สมชาย',
  'น้ำผึ้ง',
  'ສົມສັກ',
  'ចន្ធី',
  'မောင်မောင်',
  'သန္တာ',
  'თამარ',
  'Արմեն',
  'ሰላም',
  'བསྟན་འཛིན',
  'ᏣᎳᎩ',
  'ᐃᓄᒃ',
  'x_y',
  'player 2',
  'R2-D2',
  'Ada ★',
  'Zoe 🌻',
]

test('names that people have are possible', () => {
  assert.ok(honest.length >= 60)
  for (const name of honest) {
    assert.equal(cleanPersonName(name), name.normalize('NFKC'), name)
    assert.equal(readName(name), cleanName(name))
  }
})

test('names that people have do not look alike', () => {
  for (const one of honest) {
    for (const other of honest) {
      if (one === other) continue
      assert.notEqual(foldName(one), foldName(other))
      assert.ok(!alike(one, other), `${one} ${other}`)
    }
  }
})

test('what looks alike is alike, whoever comes first', () => {
  for (const [one, other] of [
    ['ada', '\u0430\u0501\u0430'],
    ['ANNA', '\u0391\u039d\u039d\u0391'],
    ['Anna', '\u0391\u039d\u039d\u0391'],
    ['вова', 'BOBA'.replaceAll('B', 'в').replaceAll('O', 'о').replaceAll('A', 'а')],
    ['BOBA', '\u0412\u041e\u0412\u0410'],
    ['Ian', 'lan'],
    ['BILL', 'biIl'],
    ['bill', 'bi1l'],
    ['bob', 'b0b'],
    ['Mark', 'rnark'],
    ['İnci', 'inci'],
    ['ıda', 'ida'],
    ['ayşe', 'ayșe'],
    ['O\u2019Neill', "O'Neill"],
    ['a-b', 'a\u2010b'],
    ['ロ', '口'],
    ['\u13aa\u13a0\u13aa', 'ADA'],
    ['i\u0307da', 'ida'],
  ] as const) {
    assert.ok(alike(one, other), `${one} ${other}`)
    assert.ok(alike(other, one), `${other} ${one}`)
  }
  for (const [one, other] of [
    ['Ian', 'Lan'],
    ['ada', 'adá'],
    ['각가', '가까'],
    ['Ann', 'Anne'],
    ['ada', 'eda'],
    ['o', 'ö'],
    ['5', 'S'],
  ] as const)
    assert.ok(!alike(one, other), `${one} ${other}`)
})

test('the table is read whole', () => {
  const groups = confusables
    .trim()
    .split(';')
    .filter((group) => group.trim() !== '')
  assert.ok(groups.length > 1500)
  for (const group of groups) assert.match(group.trim(), /^[0-9a-f]+(\s[0-9a-f]+)* <(\s[0-9a-f]+)+$/)
})

property('a name looks like itself in every case, and like nothing that is not text', (random) => {
  for (let round = 0; round < 2000; round++) {
    const raw = random.text()
    let name: string
    try {
      name = cleanName(raw)
    } catch {
      continue
    }
    const looks = looksOf(name)
    assert.ok(looks.length >= 1 && looks.length <= 2)
    for (const look of looks) assert.ok(look.isWellFormed() && look !== '', JSON.stringify(name))
    assert.ok(alike(name, name))
  }
})

test('a name that is far too long is refused before it costs time', () => {
  const began = performance.now()
  for (const long of ['\ufdfa'.repeat(32_000), 'a\u0301'.repeat(32_000), 'x'.repeat(1e6)]) {
    for (const clean of [readName, cleanName, cleanPersonName])
      assert.throws(() => clean(long), { code: 'invalid_name' })
    assert.equal(foldName(long), '')
  }
  assert.ok(performance.now() - began < 20, `${performance.now() - began} ms`)
})
