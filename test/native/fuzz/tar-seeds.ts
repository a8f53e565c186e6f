/** Archives for the fuzzer to begin with: one for every part of the format. */
import { archive, base256, file, folder, hardLink, longName, paxHeader, symlink } from '../../stand-ins/tar-forge.ts';

export function tarSeeds(): ReadonlyMap<string, Buffer> {
  const pax = {
    path: 'a/longer/path',
    linkpath: 'target',
    size: '3',
    uid: '70000',
    gid: '70000',
    mtime: '-1.5',
    'SCHILY.xattr.user.x': 'value',
  };
  return new Map([
    ['empty', archive()],
    ['plain', archive(folder('d'), file('d/f', 'text'), symlink('l', 'd'), hardLink('h', 'd/f'))],
    ['pax', archive(file('f', 'abc', { pax }))],
    ['global', Buffer.concat([paxHeader({ comment: 'x' }, 'g'), archive(file('f'))])],
    ['gnu', archive(longName('L', 'x/'.repeat(100)), longName('K', 'y/'.repeat(100)), symlink('s', 't'))],
    ['base256', archive(file('f', 'abc', { size: base256(3n, 12), uid: base256(5n, 8), mtime: base256(-5n, 12) }))],
    ['nodes', archive({ name: 'c', type: '3', device: [1, 3] }, { name: 'p', type: '6' })],
    ['sparse', archive({ name: 's', type: 'S', data: 'x' })],
    ['old', archive({ name: 'd/', type: '\0', magic: '' })],
  ]);
}
