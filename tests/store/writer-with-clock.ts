// The writing thread with a clock that a test sets: `TEST_CLOCK=1000,900` is what it shows from one look to the next, in ms;
// the last one stays.

const times = process.env['TEST_CLOCK']!.split(',').map(Number)
Date.now = () => (times.length > 1 ? times.shift()! : times[0]!)
await import('../../lib/chat/rules/writer.ts')
