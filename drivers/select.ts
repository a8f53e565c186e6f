import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { InvalidParameter } from '../api/errors.ts';
import type { GraphDriver } from './graph/driver.ts';
import { Overlay2Driver } from './graph/overlay2.ts';
import { VfsDriver } from './graph/vfs.ts';
import type { GantryInit } from './libcontainer/gantry-init.ts';

const debug = createDebug('gantry:drivers:select');
const warn = createDebug('gantry:warn:graph');

/** By name, the better first. */
const GRAPH_DRIVERS = new Map<string, (root: string, init: GantryInit) => Promise<GraphDriver>>([
  ['overlay2', Overlay2Driver.open],
  ['vfs', VfsDriver.open],
]);

/**
 * The graph driver of a data root, in `<dataRoot>/<name>`: the one asked for (`--storage-driver`, '' for none), else the one
 * that has layers there already, else the first that works. Fails with InvalidParameter for an unknown name, and where
 * several have layers; with the driver's own error where the one asked for, or in use, does not work here.
 */
export async function selectGraphDriver(dataRoot: string, wanted: string, init: GantryInit): Promise<GraphDriver> {
  if (wanted !== '') return openNamed(dataRoot, wanted, init);
  const used = await driversInUse(dataRoot);
  if (used.length > 1) {
    throw new InvalidParameter(
      `error initializing graphdriver: ${dataRoot} contains several valid graphdrivers: ${used.join(', ')}; ` +
        'Please cleanup or explicitly choose storage driver (-s <DRIVER>)',
    );
  }
  const [inUse] = used;
  if (inUse !== undefined) return openNamed(dataRoot, inUse, init);
  return openFirst(dataRoot, init);
}

async function openNamed(dataRoot: string, name: string, init: GantryInit): Promise<GraphDriver> {
  const openDriver = GRAPH_DRIVERS.get(name);
  if (openDriver === undefined) {
    const known = [...GRAPH_DRIVERS.keys()].join(', ');
    throw new InvalidParameter(
      `error initializing graphdriver: driver not supported: ${name}: choose one of ${known} (-s <DRIVER>)`,
    );
  }
  const driver = await openDriver(join(dataRoot, name), init);
  debug('%s in %s', name, dataRoot);
  return driver;
}

async function openFirst(dataRoot: string, init: GantryInit): Promise<GraphDriver> {
  const failures: string[] = [];
  for (const name of GRAPH_DRIVERS.keys()) {
    try {
      return await openNamed(dataRoot, name, init);
    } catch (error) {
      warn('%s: %s', name, error);
      failures.push(`${name}: ${String(error)}`);
    }
  }
  throw new InvalidParameter(
    `error initializing graphdriver: no supported storage driver found: ${failures.join('; ')}`,
  );
}

/** A driver's folder alone says nothing: one that was only tried leaves it empty of layers. */
async function driversInUse(dataRoot: string): Promise<string[]> {
  const used: string[] = [];
  for (const name of GRAPH_DRIVERS.keys()) {
    const entries = await readdir(join(dataRoot, name)).catch(() => []);
    if (entries.some((entry) => /^[0-9a-f]{32}$/.test(entry))) used.push(name);
  }
  return used;
}
