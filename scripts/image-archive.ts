/** Makes image archives on the spot, for tests and the demo: what `docker save` writes, and OCI layouts. */
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { sha256 } from '../api/ids.ts';

export interface TarEntry {
  /** Written as it is given, whatever it is. */
  readonly name: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly linkname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
  readonly pax?: Readonly<Record<string, string>>;
  readonly content?: Buffer | string;
}

export interface ImageSpec {
  /** Tars as they go into the archive, lowest first. */
  readonly layers: readonly Buffer[];
  /** Uncompressed tars of the same layers, when those are compressed. */
  readonly uncompressed?: readonly Buffer[];
  /** `config` of the image: Cmd, Entrypoint, Env, User, Volumes, Labels, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Over the top-level fields of the image's JSON. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
}

const CREATED = '2024-01-02T03:04:05Z';

/** A tar of these entries in this order; all of it in memory. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, pax, ...header } of entries) {
    const data = Buffer.from(content ?? '');
    const mode = header.mode ?? (header.type === 'directory' ? 0o755 : 0o644);
    tar.entry({ ...header, mode, size: data.length, mtime: new Date(CREATED), ...(pax && { pax: { ...pax } }) }, data);
  }
  tar.finalize();
  return buffer(tar);
}

/** An image's JSON; its digest is the image id. */
export function imageJSON({ layers, uncompressed, config = {}, json = {} }: ImageSpec): Buffer {
  const tars = uncompressed ?? layers;
  return Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: CREATED,
      config,
      rootfs: { type: 'layers', diff_ids: tars.map((layer) => sha256(layer)) },
      history: tars.map(() => ({ created: CREATED, created_by: '/bin/sh -c #(nop) ADD rootfs.tar in / ' })),
      ...json,
    }),
  );
}

/** What `docker save` wrote up to Docker 24: configs and layers by name, manifest.json last. */
export function dockerArchive(images: readonly ImageSpec[]): Promise<Buffer> {
  const entries: TarEntry[] = [];
  const manifest = images.map((image) => {
    const json = imageJSON(image);
    const config = `${hex(json)}.json`;
    entries.push({ name: config, content: json });
    const layers = image.layers.map((layer) => {
      const folder = hex(layer);
      entries.push({ name: `${folder}/`, type: 'directory' }, { name: `${folder}/layer.tar`, content: layer });
      return `${folder}/layer.tar`;
    });
    return { Config: config, RepoTags: image.tags ?? null, Layers: layers };
  });
  return tarOf([...entries, { name: 'manifest.json', content: JSON.stringify(manifest) }]);
}

/** An OCI image layout (image-spec, image-layout.md), without Docker's manifest.json. */
export function ociArchive(images: readonly ImageSpec[]): Promise<Buffer> {
  const blobs = new Map<string, Buffer>();
  const descriptor = (mediaType: string, blob: Buffer) => {
    blobs.set(hex(blob), blob);
    return { mediaType, digest: sha256(blob), size: blob.length };
  };
  const manifests = images.flatMap((image) => {
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', imageJSON(image)),
      layers: image.layers.map((layer) =>
        descriptor(`application/vnd.oci.image.layer.v1.tar${isGzip(layer) ? '+gzip' : ''}`, layer),
      ),
    };
    const described = descriptor(manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
    const tags = image.tags ?? [];
    if (tags.length === 0) return [described];
    return tags.map((tag) => ({ ...described, annotations: { 'io.containerd.image.name': tag } }));
  });
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
  return tarOf([
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'blobs/', type: 'directory' },
    { name: 'blobs/sha256/', type: 'directory' },
    ...[...blobs].map(([digest, content]) => ({ name: `blobs/sha256/${digest}`, content })),
    { name: 'index.json', content: JSON.stringify(index) },
  ]);
}

const hex = (bytes: Buffer): string => sha256(bytes).slice('sha256:'.length);
const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
