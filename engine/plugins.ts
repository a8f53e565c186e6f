import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import createDebug from 'debug';
import * as errors from '../api/errors.ts';
import * as reference from '../api/reference.ts';
import * as decode from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';
import { messageOf } from '../std/thrown.ts';
import type { Engine } from './engine.ts';
import type { JobTableOf } from './job.ts';

const debug = createDebug('gantry:engine:plugins');

/**
 * What a plugin is handed beside the engine, so that a file anywhere on the disk needs to import nothing of ours: the
 * very classes of error that the server knows, the decoders for its env, the reader of image names.
 */
export const kit = { errors, decode, reference } as const;
export type PluginKit = typeof kit;

type Install<Table extends JobTableOf<Table>> = (engine: Engine<Table>, kit: PluginKit) => void | Promise<void>;

/** A plugin that cannot be loaded; the message names the file. The daemon does not start then. */
export class BrokenPlugin extends errors.SystemFailure {
  constructor(path: string, why: string, cause?: unknown) {
    super(`plugin ${path}: ${why}`, { cause });
  }
}

/** `*.js` and `*.mjs` in a folder, sorted; none when there is no such folder. */
export async function pluginsIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /\.m?js$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/**
 * Loads modules that export `install(engine, kit)`, one after the other, and installs them. Fails with BrokenPlugin at
 * the first that cannot be loaded, throws, or wraps a job that is not there when all are in.
 */
export async function loadPlugins<Table extends JobTableOf<Table>>(
  engine: Engine<Table>,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) {
    const install = await installOf<Table>(resolve(path));
    try {
      await install(engine, kit);
    } catch (error) {
      throw new BrokenPlugin(path, `install failed: ${messageOf(error)}`, error);
    }
    debug('installed %s', path);
  }
  verify(engine, paths);
}

async function installOf<Table extends JobTableOf<Table>>(path: string): Promise<Install<Table>> {
  const module: unknown = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw new BrokenPlugin(path, `cannot be loaded: ${messageOf(error)}`, error);
  });
  if (!isPlugin<Table>(module)) throw new BrokenPlugin(path, 'exports no function `install(engine, kit)`');
  return module.install;
}

function isPlugin<Table extends JobTableOf<Table>>(module: unknown): module is { readonly install: Install<Table> } {
  return typeof module === 'object' && module !== null && 'install' in module && typeof module.install === 'function';
}

function verify<Table extends JobTableOf<Table>>(engine: Engine<Table>, paths: readonly string[]): void {
  try {
    engine.verify();
  } catch (error) {
    throw new BrokenPlugin(paths.join(', '), `something is wrapped that is not there: ${messageOf(error)}`, error);
  }
}
