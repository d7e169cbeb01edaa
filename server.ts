// Starts natter. Plain script and no types here, so that an old Node gets as far as being told what is wrong.
(function start() {
  if (!process.features.typescript) {
    console.error('natter needs Node 22.18 or newer, this is ' + process.version + '; try: npx -y node@26 server.ts')
    process.exitCode = 1
    return
  }
  import('./lib/main.ts').then((natter) => natter.main(process.argv.slice(2), process.env))
})()
