import { expect } from 'chai';
import { containerID } from '../../api/ids.ts';
import { DepartedContainers } from '../../state/departed.ts';

const idOf = (start: string) => containerID(start.padEnd(64, '0'));

describe('DepartedContainers', () => {
  let now = 0;
  let departed: DepartedContainers;
  const add = (start: string, name: string, exitCode = 0) => departed.add({ ID: idOf(start), Name: name }, exitCode);
  const codeOf = (reference: string) => departed.find(reference)?.exitCode ?? null;

  beforeEach(() => {
    now = 0;
    departed = new DepartedContainers(() => now, { most: 3, milliseconds: 1000 });
  });

  it('finds by id, by name with or without slash, and by a prefix of one alone', () => {
    add('aa1', 'web', 1);
    add('aa2', 'shop', 2);
    const found = [idOf('aa1'), 'web', '/web', 'aa1', 'aa2', 'shop', 'aa', '', 'other'].map(codeOf);
    expect(found).to.deep.equal([1, 1, 1, 1, 2, 2, null, null, null]);
  });

  it('means the last of several that had a name', () => {
    add('a', 'web', 1);
    add('b', 'web', 2);
    expect(codeOf('web')).to.equal(2);
  });

  it('forgets the first when there are too many', () => {
    for (const [index, start] of ['a', 'b', 'c', 'd'].entries()) add(start, `n${start}`, index);
    expect(['a', 'b', 'c', 'd'].map(codeOf)).to.deep.equal([null, 1, 2, 3]);
  });

  it('forgets each when its time is over', () => {
    add('a', 'na', 1);
    now = 999;
    add('b', 'nb', 2);
    expect(codeOf('a')).to.equal(1);
    now = 1000;
    expect(['a', 'b'].map(codeOf)).to.deep.equal([null, 2]);
  });

  it('forgets what it is told to', () => {
    add('a', 'na', 1);
    departed.forget(idOf('a'));
    expect(codeOf('a')).to.equal(null);
  });
});
