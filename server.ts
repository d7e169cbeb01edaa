// Starts natter. Plain script and no types here, so that an old Node gets as far as being told what is wrong.
// @ts-check
(function start() {
  if (!process.features.typescript) {
    console.error('natter needs Node 22.18 or newer, this is ' + process.version + '; try: npx -y node@26 server.ts')
    process.exitCode = 1
    return
  }
  // Node 22 and 24 warn that their SQLite may change; what natter uses of it is the same in all that it runs on.
  const emitWarning = process.emitWarning
  process.emitWarning = function (warning) {
    if (!/^SQLite is an experimental/.test(String(warning))) Reflect.apply(emitWarning, process, arguments)
  }
  import('./lib/main.ts').then((natter) => natter.main(process.argv.slice(2), process.env))
})()
