// A certificate for this machine alone, made anew at each start. A real server has a real one, or a proxy in front that has.

import { execFileSync } from 'node:child_process'

export function selfSigned() {
  const options =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1'
  const pem = execFileSync('openssl', ['req', ...options.split(' '), '-keyout', '-', '-out', '-'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return { key: pem, cert: pem }
}
