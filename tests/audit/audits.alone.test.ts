// The audits that judge how long something takes, or what is left a moment later.

import { audits } from './all.ts'
import { testShortForms } from './short-forms.ts'

testShortForms(audits.filter(({ alone, byHand }) => alone && !byHand))
