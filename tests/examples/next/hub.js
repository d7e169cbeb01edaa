// One hub for the whole process. Next loads modules anew while one develops, so it is kept where that does not reach.

import { Hub } from 'natter'

export const hub = (globalThis.newsHub ??= new Hub())
