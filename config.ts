/**
 * What the daemon is told: flags and `daemon.json`, decoded once into one value that nobody changes. What is unknown or
 * wrong is refused, with the place where it stands.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type ConfigKey, type DaemonConfig, daemonConfig, isWrong } from './api/daemon-config.ts';
import { InvalidParameter } from './api/errors.ts';
import { PRODUCT_VERSION } from './api/system.ts';
import { isObject } from './std/decode.ts';
import { offsetOfSyntaxError, outerKeys, positionAt } from './std/json-position.ts';

const DEFAULT_CONFIG_FILE = '/etc/gantry/daemon.json';

export type Config = DaemonConfig & {
  readonly configFile: string;
  /** Only check, and say so. */
  readonly isCheckOnly: boolean;
};

interface Flag {
  readonly key: ConfigKey;
  /** Short and long name. */
  readonly names: string;
  /** What may follow: a switch needs nothing, lists and maps may be given many times. */
  readonly kind: 'switch' | 'number' | 'text' | 'list' | 'map';
  readonly help: string;
}

const FLAGS: readonly Flag[] = [
  { key: 'data-root', names: '--data-root', kind: 'text', help: 'root directory of persistent state' },
  { key: 'exec-root', names: '--exec-root', kind: 'text', help: 'root directory for execution state files' },
  { key: 'hosts', names: '-H, --host', kind: 'list', help: 'daemon socket(s) to listen on' },
  { key: 'group', names: '-G, --group', kind: 'text', help: 'group for the unix socket' },
  { key: 'pidfile', names: '-p, --pidfile', kind: 'text', help: 'path to use for daemon PID file' },
  { key: 'debug', names: '-D, --debug', kind: 'switch', help: 'enable debug mode' },
  { key: 'log-level', names: '-l, --log-level', kind: 'text', help: 'debug, info, warn, error or fatal' },
  { key: 'log-driver', names: '--log-driver', kind: 'text', help: 'default driver for container logs' },
  { key: 'log-opts', names: '--log-opt', kind: 'map', help: 'default log driver options for containers' },
  { key: 'storage-driver', names: '-s, --storage-driver', kind: 'text', help: 'storage driver: overlay2 or vfs' },
  { key: 'storage-opts', names: '--storage-opt', kind: 'list', help: 'storage driver options' },
  { key: 'tls', names: '--tls', kind: 'switch', help: 'use TLS; implied by --tlsverify' },
  { key: 'tlsverify', names: '--tlsverify', kind: 'switch', help: 'use TLS and verify the remote' },
  { key: 'tlscacert', names: '--tlscacert', kind: 'text', help: 'trust certs signed only by this CA' },
  { key: 'tlscert', names: '--tlscert', kind: 'text', help: 'path to TLS certificate file' },
  { key: 'tlskey', names: '--tlskey', kind: 'text', help: 'path to TLS key file' },
  { key: 'cgroup-parent', names: '--cgroup-parent', kind: 'text', help: 'parent cgroup of all containers' },
  { key: 'default-ulimits', names: '--default-ulimit', kind: 'map', help: 'default ulimits for containers' },
  { key: 'default-shm-size', names: '--default-shm-size', kind: 'text', help: 'default shm size for containers' },
  { key: 'default-runtime', names: '--default-runtime', kind: 'text', help: 'default OCI runtime for containers' },
  { key: 'runtimes', names: '--add-runtime', kind: 'map', help: 'register an additional OCI runtime' },
  { key: 'exec-opts', names: '--exec-opt', kind: 'list', help: 'runtime execution options' },
  { key: 'init', names: '--init', kind: 'switch', help: 'run an init in every container' },
  { key: 'no-new-privileges', names: '--no-new-privileges', kind: 'switch', help: 'no-new-privileges by default' },
  { key: 'labels', names: '--label', kind: 'list', help: 'key=value labels to the daemon' },
  { key: 'shutdown-timeout', names: '--shutdown-timeout', kind: 'number', help: 'seconds a shutdown may take' },
  { key: 'plugins', names: '--plugin', kind: 'list', help: 'job plugin (a JavaScript module) to load' },
  { key: 'bridge', names: '-b, --bridge', kind: 'text', help: 'none: bridge networks are not there yet' },
  { key: 'live-restore', names: '--live-restore', kind: 'switch', help: 'containers outlive the daemon (always so)' },
  { key: 'experimental', names: '--experimental', kind: 'switch', help: 'experimental features (there are none)' },
  { key: 'iptables', names: '--iptables', kind: 'switch', help: 'of bridge networks: without effect yet' },
  { key: 'ip6tables', names: '--ip6tables', kind: 'switch', help: 'of bridge networks: without effect yet' },
  { key: 'ip-forward', names: '--ip-forward', kind: 'switch', help: 'of bridge networks: without effect yet' },
  { key: 'ip-masq', names: '--ip-masq', kind: 'switch', help: 'of bridge networks: without effect yet' },
  { key: 'userland-proxy', names: '--userland-proxy', kind: 'switch', help: 'of bridge networks: without effect yet' },
  { key: 'icc', names: '--icc', kind: 'switch', help: 'of bridge networks: without effect yet' },
];

type Values = Map<ConfigKey, unknown>;

/**
 * Reads the command line and the file. Fails with InvalidParameter in dockerd's words; `--help`, `--version` and a wrong
 * flag end in a CommanderError, its text printed.
 */
export function loadConfig(argv: readonly string[]): Config {
  const flags: Values = new Map();
  const program = commandLine(flags).parse([...argv], { from: 'user' });
  const { configFile, validate } = program.opts<{ configFile?: string; validate?: boolean }>();
  const file = configFile ?? DEFAULT_CONFIG_FILE;
  if (configFile !== undefined && !existsSync(file)) {
    throw new InvalidParameter(`${unable(file)}: open ${file}: no such file or directory`);
  }
  const read: Values = existsSync(file) ? readFile(file) : new Map();
  refuseBoth(file, flags, read);
  const settings = decoded(Object.fromEntries([...read, ...flags]));
  return { ...settings, configFile: file, isCheckOnly: validate === true };
}

function commandLine(values: Values): Command {
  const program = new Command('gantryd')
    .description('A container engine that speaks the Docker Engine API.')
    .version(`Gantry version ${PRODUCT_VERSION}`, '-v, --version', 'print version information and quit')
    .option('--config-file <file>', `daemon configuration file (default ${DEFAULT_CONFIG_FILE})`)
    .option('--validate', 'validate the configuration and quit')
    .helpOption('-h, --help', 'print usage')
    .allowExcessArguments(false)
    .exitOverride();
  for (const flag of FLAGS) {
    const name = longName(flag);
    const spec = flag.kind === 'switch' ? `${flag.names} [true|false]` : `${flag.names} <${flag.kind}>`;
    program.option(spec, flag.help);
    program.on(`option:${name}`, (given: string | null) => {
      values.set(flag.key, fromWord(flag, given ?? 'true', values.get(flag.key)));
    });
  }
  return program;
}

const longName = (flag: Flag): string => flag.names.replace(/^.*--/, '');

/** A word of the command line as the file would have it. Lists and maps grow with every use of their flag. */
function fromWord(flag: Flag, given: string, before: unknown): unknown {
  switch (flag.kind) {
    case 'switch':
      return truth(flag, given);
    case 'number':
      if (!/^-?\d+$/.test(given))
        throw wrongArgument(flag, given, `strconv.ParseInt: parsing "${given}": invalid syntax`);
      return Number(given);
    case 'text':
      return given;
    case 'list':
      return [...(Array.isArray(before) ? before : []), given];
    case 'map': {
      const split = given.indexOf('=');
      if (split < 1) throw wrongArgument(flag, given, 'it must be of the form name=value');
      return { ...(isObject(before) ? before : {}), [given.slice(0, split)]: given.slice(split + 1) };
    }
  }
}

function truth(flag: Flag, given: string): boolean {
  if (['1', 't', 'true'].includes(given.toLowerCase())) return true;
  if (['0', 'f', 'false'].includes(given.toLowerCase())) return false;
  throw wrongArgument(flag, given, `strconv.ParseBool: parsing "${given}": invalid syntax`);
}

function wrongArgument(flag: Flag, given: string, why: string): InvalidParameter {
  return new InvalidParameter(`invalid argument "${given}" for "${flag.names}" flag: ${why}`);
}

/** Values of the flags, the file's taken for good already. */
function decoded(values: Readonly<Record<string, unknown>>): DaemonConfig {
  try {
    return daemonConfig(values, '');
  } catch (error) {
    if (isWrong(error))
      throw new InvalidParameter(`unable to configure the Gantry daemon: ${withoutDot(error.message)}`);
    throw error;
  }
}

function readFile(file: string): Values {
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const fail = (offset: number, message: string) => {
    const { line, column } = positionAt(text, offset);
    return new InvalidParameter(`${unable(file)}: line ${line}, column ${column}: ${message}`);
  };
  const whole = parse(text, fail);
  const values: Values = new Map();
  for (const { key, offset } of outerKeys(text)) {
    if (!isKey(key)) throw fail(offset, `the following directives don't match any configuration option: ${key}`);
    if (values.has(key)) throw fail(offset, `the directive ${key} is there twice`);
    try {
      daemonConfig.fields[key](whole[key], key);
    } catch (error) {
      throw isWrong(error)
        ? fail(offset, error.message.startsWith(key) ? error.message : `${key}: ${error.message}`)
        : error;
    }
    values.set(key, whole[key]);
  }
  return values;
}

function parse(text: string, fail: (offset: number, message: string) => Error): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {};
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? fail(offsetOfSyntaxError(error, text), error.message) : error;
  }
  if (!isObject(whole)) throw fail(0, 'the file must hold one JSON object');
  return whole;
}

/** dockerd's rule: a setting stands in one place. */
function refuseBoth(file: string, flags: Values, read: Values): void {
  const both = [...read.keys()].filter((key) => flags.has(key));
  if (both.length === 0) return;
  const told = both.map((key) => `${key}: (from flag: ${shown(flags.get(key))}, from file: ${shown(read.get(key))})`);
  throw new InvalidParameter(
    `${unable(file)}: the following directives are specified both as a flag and in the configuration file: ` +
      told.join(', '),
  );
}

/** As Go prints a value. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  if (!isObject(value)) return String(value);
  return `map[${Object.entries(value)
    .map(([key, each]) => `${key}:${String(each)}`)
    .join(' ')}]`;
}

const unable = (file: string): string => `unable to configure the Gantry daemon with file ${file}`;
const withoutDot = (message: string): string => message.replace(/^\./, '');

function isKey(key: string): key is ConfigKey {
  return Object.hasOwn(daemonConfig.fields, key);
}
