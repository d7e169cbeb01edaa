// The audits that don't mind what else the machine has to do.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audits } from './all.ts'
import { testShortForms } from './short-forms.ts'

testShortForms(audits.filter(({ alone, byHand }) => !alone && !byHand))

test('every audit has a fault that it finds', () => {
  for (const { name, plantable } of audits) assert.ok(plantable.length > 0, name)
})
