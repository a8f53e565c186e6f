import { expect } from 'chai';
import { parseFilters } from '../../../api/filters.ts';
import type { EngineEvent } from '../../../api/system.ts';
import { wants } from '../../../jobs/system/event-filter.ts';

const KEYS = ['container', 'event', 'image', 'label', 'scope', 'type', 'volume'];
const ID = 'c0ffee'.padEnd(64, '0');
const container = (Action: string): EngineEvent => ({
  Type: 'container',
  Action,
  Actor: { ID, Attributes: { name: 'web', image: 'docker.io/a/b:1.2', tier: 'front' } },
  scope: 'local',
  timeNano: 1n,
});
const image: EngineEvent = {
  Type: 'image',
  Action: 'tag',
  Actor: { ID: 'sha256:aa', Attributes: { name: 'busybox:latest' } },
  scope: 'local',
  timeNano: 1n,
};

describe('a filter of events', () => {
  const cases: readonly (readonly [
    filters: Readonly<Record<string, string[]>>,
    event: EngineEvent,
    isWanted: boolean,
  ])[] = [
    [{}, container('start'), true],
    [{ event: ['start'] }, container('start'), true],
    [{ event: ['start', 'stop'] }, container('die'), false],
    [{ event: ['exec_create'] }, container('exec_create: sh -c true'), true],
    [{ event: ['exec_create: sh'] }, container('exec_create: sh -c true'), false],
    [{ event: ['health_status'] }, container('health_status: healthy'), true],
    [{ type: ['image'] }, image, true],
    [{ type: ['image'] }, container('start'), false],
    [{ container: ['web'] }, container('start'), true],
    [{ container: ['c0ff'] }, container('start'), true],
    [{ container: ['db'] }, container('start'), false],
    [{ container: ['web'] }, image, false],
    [{ image: ['busybox'] }, image, true],
    [{ image: ['busybox:latest'] }, image, true],
    [{ image: ['docker.io/a/b'] }, container('start'), true],
    [{ image: ['b'] }, container('start'), false],
    [{ label: ['tier'] }, container('start'), true],
    [{ label: ['tier=front'] }, container('start'), true],
    [{ label: ['tier=back'] }, container('start'), false],
    [{ label: ['tier', 'missing'] }, container('start'), false],
    [{ label: ['constructor'] }, container('start'), false],
    [{ scope: ['local'] }, image, true],
    [{ scope: ['swarm'] }, image, false],
    [{ type: ['container'], event: ['start'], container: ['web'], label: ['tier'] }, container('start'), true],
  ];
  for (const [filters, event, isWanted] of cases) {
    it(`${JSON.stringify(filters)} ${isWanted ? 'takes' : 'leaves out'} ${event.Type} ${event.Action}`, () => {
      expect(wants(parseFilters(JSON.stringify(filters), KEYS), event)).to.equal(isWanted);
    });
  }
});
