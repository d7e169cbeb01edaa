// Starts natter. Plain script and no types here, so that an old Node gets as far as being told what is wrong.
;(function start() {
  if (!process.features.typescript) {
    console.error('natter needs Node 22.18 or newer, this is ' + process.version + '; try: npx -y node@26 server.ts')
    process.exitCode = 1
    return
  }
  // What Node makes of the source, types stripped and compiled, it keeps for the next start, which then takes half as long. Our threads
  // do so too: they begin with this environment.
  if (process.env.HOME) {
    process.env.NODE_COMPILE_CACHE ||= process.env.HOME + '/.cache/natter'
    process.getBuiltinModule('module').enableCompileCache(process.env.NODE_COMPILE_CACHE)
  }
  void import('./lib/program/main.ts').then((natter) => natter.main(process.argv.slice(2), process.env))
})()
