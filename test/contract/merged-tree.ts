import type { LayerID } from '../../api/ids.ts';
import type { GraphDriver } from '../../drivers/graph/driver.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';
import { CLONE, MS } from '../native/container.ts';
import { ATTACH, FRAME, Monitor } from '../native/monitor.ts';

const OWNER = 'test';
const SLOT_OF_TREE = 8;

/**
 * What a shell script says that stands in the root of a layer's whole tree: mounted by the driver's own operations, in a
 * mount namespace that ends with the script.
 */
export async function inMergedTree(driver: GraphDriver, id: LayerID, script: string): Promise<string> {
  const target = '/tmp';
  const operations: Operation[] = [
    { op: 'clone', owner: OWNER, namespaces: CLONE.mount, cgroupSlot: 0xffff_ffff },
    { op: 'propagation', owner: OWNER, path: '/', mountFlags: MS.recursive | MS.private },
    ...(await driver.rootfs(id, target, SLOT_OF_TREE)),
    {
      op: 'execve',
      owner: OWNER,
      argv: ['/bin/sh', '-c', `cd ${target} && ${script}`],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'TZ=UTC'],
    },
  ];
  await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
  const { code } = await monitor.exited();
  const [attachment] = monitor.attachments;
  await attachment?.ended;
  if (code !== 0) throw new Error(`exit status ${code}: ${attachment?.text(FRAME.stderr)}`);
  return attachment?.text() ?? '';
}
