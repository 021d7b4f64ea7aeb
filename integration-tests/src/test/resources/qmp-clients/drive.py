"""drive.py SOURCE DESTINATION URI FOLDER: as drive.sh, with QEMU's asynchronous client for Python."""
import asyncio
import collections
import sys

from qemu.qmp import EventListener, QMPClient

SOURCE, DESTINATION, URI, FOLDER = sys.argv[1:]


async def until(listener, status):
    async for event in listener:
        if event['data']['status'] == status:
            print(status)
            return


async def migrate(qmp, listener, uri, how, status):
    await qmp.execute('migrate', {'uri': uri})
    await until(listener, 'active')
    await how()
    await until(listener, status)


async def main():
    source, destination = QMPClient('source'), QMPClient('destination')
    await source.connect(SOURCE)
    await destination.connect(DESTINATION)
    seen = collections.Counter()
    counting = EventListener()
    source.register_listener(counting)
    for end in source, destination:
        await end.execute('migrate-set-capabilities',
                          {'capabilities': [{'capability': 'events', 'state': True}]})
    await source.execute('migrate-set-parameters', {'max-bandwidth': 20000})
    with source.listener('MIGRATION') as states:
        await migrate(source, states, 'exec:cat>' + FOLDER + '/one',
                      lambda: source.execute('migrate_cancel'), 'cancelled')
        await migrate(source, states, 'exec:cat>' + FOLDER + '/two',
                      lambda: source.execute('yank', {'instances': [{'type': 'migration'}]},
                                             oob=True), 'failed')
        with destination.listener('MIGRATION') as arriving:
            await source.execute('migrate-set-parameters', {'max-bandwidth': 0})
            await destination.execute('migrate-incoming', {'uri': URI})
            await source.execute('migrate', {'uri': URI})
            await until(states, 'completed')
            await until(arriving, 'completed')
    while not counting.empty():
        seen[(await counting.get())['event']] += 1
    for name, count in sorted(seen.items()):
        print(count, '"event": "%s"' % name)
    await source.disconnect()
    await destination.disconnect()


asyncio.run(main())
