import { expect } from 'chai';
import { container, Rootfs } from './container.ts';
import { ATTACH, FRAME, Monitor } from './monitor.ts';

describe('gantry-init run', function () {
  this.timeout(30_000);
  let root: Rootfs;
  before(async () => {
    root = await Rootfs.make();
  });
  after(async () => await root.remove());

  const shell = (script: string) => container({ root, argv: ['sh', '-c', script] });

  it('starts a process in its namespaces, passes on what it writes, and tells of its end', async () => {
    const operations = shell('hostname; echo $$; ls /; echo oops >&2; exit 7');
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
    const started = await monitor.started();
    const exited = await monitor.exited();
    const [attachment] = monitor.attachments;
    await attachment?.ended;
    await monitor.over;
    expect(attachment?.text()).to.equal('inside\n1\nbin\ndev\netc\nproc\nsys\ntmp\n');
    expect(attachment?.text(FRAME.stderr)).to.equal('oops\n');
    expect(exited).to.include({ code: 7, signal: 0, oom: false });
    expect(JSON.parse(await monitor.read('exit'))).to.deep.equal(exited);
    expect(started.pid).to.be.greaterThan(1);
    expect(started.ns).to.have.length(operations.length - 1);
  });
});
