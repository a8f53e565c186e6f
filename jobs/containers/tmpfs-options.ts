import { InvalidParameter } from '../../api/errors.ts';

const FLAGS = (
  'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime ' +
  'nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime ' +
  'strictatime nostrictatime'
).split(' ');
const KEYS = ['gid', 'mode', 'mpol', 'nr_blocks', 'nr_inodes', 'size', 'uid'];

/** (pure) Of `--tmpfs /path:size=1m,noexec`. Fails with InvalidParameter in Docker's words (moby/sys, `MergeTmpfsOptions`). */
export function checkTmpfsOptions(options: string): void {
  for (const option of options.split(',')) {
    if (option === '' || FLAGS.includes(option)) continue;
    const [key = '', ...value] = option.split('=');
    if (value.length > 0 && KEYS.includes(key)) continue;
    const parts = value.length > 0 ? [key, value.join('=')] : [key];
    throw new InvalidParameter(`invalid tmpfs option [${parts.map((part) => JSON.stringify(part)).join(' ')}]`);
  }
}
