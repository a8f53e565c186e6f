import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { type ChainID, chainID, chainIDOf, type DiffID, diffID, type LayerID, layerID } from '../api/ids.ts';
import { writeAtomic } from '../std/atomic-file.ts';
import { type Decoder, integer, nullable, object, parsed } from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';
import { mapBounded } from '../std/map-bounded.ts';

const warn = createDebug('gantry:warn:layers');
const READS_AT_ONCE = 32;

/** One image layer: which change set it is, on what, and where the graph driver has it. */
export interface LayerRecord {
  readonly diffID: DiffID;
  readonly parent: ChainID | null;
  readonly layer: LayerID;
  /** Bytes of its files. */
  readonly size: number;
}

const layerRecord: Decoder<LayerRecord> = object({
  diffID: parsed(diffID),
  parent: nullable(parsed(chainIDOf)),
  layer: parsed(layerID),
  size: integer,
});

/** The files `<hex of chainID>.json` of one folder. */
export class LayerRecords {
  readonly #folder: string;
  readonly #damaged: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Paths of records that could not be read. */
  get damaged(): readonly string[] {
    return this.#damaged;
  }

  /** A record that is damaged, or whose name is not its chain id, is left out with a warning. */
  async read(): Promise<Map<ChainID, LayerRecord>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = await readdir(this.#folder);
    const found = await mapBounded(names, READS_AT_ONCE, (name) => this.#readOne(name));
    return new Map(found.filter((entry) => entry !== null));
  }

  save(chain: ChainID, record: LayerRecord): Promise<void> {
    return writeAtomic(this.#path(chain), JSON.stringify(record));
  }

  async remove(chain: ChainID): Promise<void> {
    await unlink(this.#path(chain)).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) throw error;
    });
  }

  async #readOne(name: string): Promise<[ChainID, LayerRecord] | null> {
    const path = join(this.#folder, name);
    if (name.endsWith('.tmp')) {
      await unlink(path);
      return null;
    }
    if (!/^[0-9a-f]{64}\.json$/.test(name)) return null;
    try {
      const record = layerRecord(JSON.parse(await readFile(path, 'utf8')), 'layer');
      const chain = chainID(record.parent, record.diffID);
      if (this.#path(chain) !== path) throw new Error(`it is the record of ${chain}`);
      return [chain, record];
    } catch (error) {
      this.#damaged.push(path);
      warn('%s: layer is left out: %s', path, error);
      return null;
    }
  }

  #path(chain: ChainID): string {
    return join(this.#folder, `${chain.slice('sha256:'.length)}.json`);
  }
}
