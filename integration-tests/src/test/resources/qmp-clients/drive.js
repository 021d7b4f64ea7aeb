// drive.js SOURCE DESTINATION URI FOLDER: as drive.sh, with npm's qemu-qmp.
const QMP = require('qemu-qmp')

const [source, destination, uri, folder] = process.argv.slice(2)

function connect (path) {
  return new Promise((resolve, reject) => {
    const qmp = new QMP()
    qmp.connect(path, error => error ? reject(error) : resolve(qmp))
  })
}

function ask (qmp, command, given) {
  return new Promise((resolve, reject) => {
    const answered = (error, answer) => error ? reject(error) : resolve(answer)
    if (given) qmp.execute(command, given, answered)
    else qmp.execute(command, answered)
  })
}

async function until (qmp, status) {
  for (let i = 0; i < 300; i++) {
    const answer = await ask(qmp, 'query-migrate')
    if (answer.status === status) return console.log(status)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('no ' + status)
}

async function main () {
  const from = await connect(source)
  const to = await connect(destination)
  const seen = {}
  for (const event of ['stop', 'migration', 'migration_pass', 'resume']) {
    from.on(event, () => { seen[event] = (seen[event] || 0) + 1 })
  }
  const events = [{ capability: 'events', state: true }]
  await ask(from, 'migrate-set-capabilities', { capabilities: events })
  await ask(from, 'migrate-set-parameters', { 'max-bandwidth': 20000 })
  await ask(from, 'migrate', { uri: 'exec:cat>' + folder + '/one' })
  await until(from, 'active')
  await ask(from, 'migrate_cancel')
  await until(from, 'cancelled')
  await ask(from, 'migrate', { uri: 'exec:cat>' + folder + '/two' })
  await until(from, 'active')
  await ask(from, 'yank', { instances: [{ type: 'migration' }] })
  await until(from, 'failed')
  await ask(from, 'migrate-set-parameters', { 'max-bandwidth': 0 })
  await ask(to, 'migrate-incoming', { uri })
  await ask(from, 'migrate', { uri })
  await until(from, 'completed')
  await until(to, 'completed')
  for (const name in seen) console.log(seen[name], '"event": "' + name.toUpperCase() + '"')
  from.end()
  to.end()
}

main().catch(error => {
  console.log(error)
  process.exit(1)
})
