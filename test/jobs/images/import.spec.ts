import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { imageRunConfig } from '../../../api/image.ts';
import { configFrom } from '../../../jobs/images/changes.ts';
import { tarOf } from '../../../scripts/image-archive.ts';
import { ImageStore } from '../../stand-ins/image-store.ts';
import { TAR_XZ } from '../../stand-ins/xz-packed.ts';

const said = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );

describe('import', () => {
  let store: ImageStore;
  let tar: Buffer;

  beforeEach(async () => {
    store = await ImageStore.open();
    tar = await tarOf([{ name: 'f', content: 'x'.repeat(1000) }]);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  it('makes an image of a tar, compressed or not, and prints its id', async () => {
    for (const bytes of [tar, gzipSync(tar), Buffer.from(TAR_XZ, 'base64')]) {
      const lines = await store.import(bytes, ['-', 'mine', 'v1'], { message: 'from far', changes: ['CMD ["/f"]'] });
      const [row] = await store.engine.run('images', [], {
        all: false,
        digests: false,
        filters: new Map([['dangling', ['false']]]),
      });
      expect(lines).to.deep.equal([`{"status":"${row?.Id}"}`]);
      expect(row?.['RepoTags']).to.deep.equal(['mine:v1']);
    }
    const found = await store.engine.run('image_inspect', ['mine:v1'], {});
    expect(found).to.deep.include({ Comment: 'from far', Size: 1000, Architecture: 'amd64', Os: 'linux' });
    expect(found['Config']).to.deep.include({ Cmd: ['/f'] });
    expect(
      store
        .told()
        .slice(0, 2)
        .map((told) => told.split(' ')[1]),
    ).to.deep.equal(['tag', 'import']);
    expect((await store.census()).trees).to.equal(1);
  });

  const bad: readonly (readonly [what: string, run: (store: ImageStore) => Promise<unknown>, words: RegExp])[] = [
    ['an address', (s) => s.import(tar, ['http://x/y.tar']), /^NotImplemented: importing from http:\/\/x\/y.tar/],
    ['nothing', (s) => s.import(Buffer.alloc(0), ['-']), /unexpected EOF/],
    ['no tar', (s) => s.import(Buffer.alloc(1024, 'x'), ['-']), /^InvalidParameter: /],
    ['gzip that is cut off', (s) => s.import(gzipSync(tar).subarray(0, 40), ['-']), /unexpected EOF/],
    ['xz that is cut off', (s) => s.import(Buffer.from(TAR_XZ, 'base64').subarray(0, -30), ['-']), /unexpected EOF/],
    ['bzip2', (s) => s.import(Buffer.from('BZh91AY'), ['-']), /^InvalidParameter: .* compressed with bzip2/],
    ['a bad name', (s) => s.import(tar, ['-', 'X']), /must be lowercase/],
    ['a bad tag', (s) => s.import(tar, ['-', 'x', '!']), /invalid tag format/],
    ['another system', (s) => s.import(tar, ['-'], { platform: 'windows/amd64' }), /operating system is not supported/],
    ['a bad change', (s) => s.import(tar, ['-'], { changes: ['RUN x'] }), /run is not a valid change command/],
  ];
  for (const [what, run, words] of bad) {
    it(`refuses ${what} and leaves nothing`, async () => {
      expect(await said(run(store))).to.match(words);
      expect(await store.census()).to.deep.equal({ configs: 0, trees: 0, records: 0, uploads: 0 });
    });
  }
});

describe('changes', () => {
  const empty = imageRunConfig({}, 'config');
  const good: readonly (readonly [changes: string[], expected: object])[] = [
    [['CMD ["a","b"]'], { Cmd: ['a', 'b'] }],
    [['cmd echo hi'], { Cmd: ['/bin/sh', '-c', 'echo hi'] }],
    [['ENTRYPOINT ["/x"]'], { Entrypoint: ['/x'] }],
    [['ENV A=1 B="2 3" C=4\\ 5'], { Env: ['A=1', 'B=2 3', 'C=4 5'] }],
    [['ENV A the rest'], { Env: ['A=the rest'] }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's, not ours
    [['ENV A=1', 'ENV B=$A-${A}-${X:-y}-${A:+z}', 'ENV A=2'], { Env: ['A=2', 'B=1-1-y-z'] }],
    [["ENV A='$B' C=\\$B"], { Env: ['A=$B', 'C=$B'] }],
    [['ENV A=1 \\\n  B=2'], { Env: ['A=1', 'B=2'] }],
    [['# nothing', '', 'USER app:app'], { User: 'app:app' }],
    [['EXPOSE 80 53/udp 90-91'], { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '90/tcp': {}, '91/tcp': {} } }],
    [['WORKDIR /a', 'WORKDIR b/../c/'], { WorkingDir: '/a/c' }],
    [['WORKDIR ../../..'], { WorkingDir: '/' }],
    [['VOLUME /a /b'], { Volumes: { '/a': {}, '/b': {} } }],
    [['VOLUME ["/a b"]'], { Volumes: { '/a b': {} } }],
    [['LABEL a=1 "b c"=d', 'LABEL a=2'], { Labels: { a: '2', 'b c': 'd' } }],
    [['STOPSIGNAL SIGINT'], { StopSignal: 'SIGINT' }],
    [['ONBUILD RUN x', 'ONBUILD COPY . .'], { OnBuild: ['RUN x', 'COPY . .'] }],
    [
      ['HEALTHCHECK --interval=5s --retries=3 CMD curl x'],
      {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl x'],
          Interval: 5e9,
          Timeout: 0,
          StartPeriod: 0,
          StartInterval: 0,
          Retries: 3,
        },
      },
    ],
  ];
  for (const [changes, expected] of good) {
    it(`${changes.join(' · ')}`, () => {
      expect(configFrom(changes)).to.deep.equal({ ...empty, ...expected });
    });
  }

  const bad: readonly (readonly [change: string, words: string])[] = [
    ['RUN x', 'run is not a valid change command'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', 'Must be of the form: name=value'],
    ['ENV =1', 'ENV names can not be blank'],
    ['ENV A="1', 'looking for matching double-quote'],
    ['ENV A=${', 'syntax error in substitution'],
    ['USER a b', 'USER requires exactly one argument'],
    ['EXPOSE 99999', 'invalid containerPort: 99999'],
    ['EXPOSE 80/xyz', 'invalid containerPort: 80/xyz'],
    ['EXPOSE 90-80', 'invalid containerPort: 90-80'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['STOPSIGNAL NOPE', 'Invalid signal: NOPE'],
    ['ONBUILD ONBUILD x', 'Chaining ONBUILD'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK XXX y', 'Unknown type "XXX" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1ns CMD x', 'cannot be less than 1ms'],
  ];
  for (const [change, words] of bad) {
    it(`${change} is none: ${words}`, () => {
      expect(() => configFrom([change])).to.throw(words);
    });
  }
});
