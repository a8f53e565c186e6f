/** An image in OCI's and Docker's words (OCI image-spec, config.md; Docker Engine API v1.50). */
import { type Decoded, flag, integer, list, nullable, object, optional, record, text } from '../std/decode.ts';
import { healthcheck } from './container.ts';
import type { DiffID, ImageID } from './ids.ts';

/** `config` of an image: what a container made from it starts with. */
export const imageRunConfig = object({
  User: optional(text, ''),
  ExposedPorts: nullable(record(object({}))),
  Env: nullable(list(text)),
  Entrypoint: nullable(list(text)),
  Cmd: nullable(list(text)),
  Volumes: nullable(record(object({}))),
  WorkingDir: optional(text, ''),
  Labels: nullable(record(text)),
  StopSignal: optional(text, ''),
  ArgsEscaped: optional(flag, false),
  Healthcheck: nullable(healthcheck),
  OnBuild: nullable(list(text)),
  Shell: nullable(list(text)),
});
export type ImageRunConfig = Decoded<typeof imageRunConfig>;

/** The whole config; its bytes' digest is the image id, so the bytes are kept as they came and never written again. */
export const imageConfig = object({
  architecture: optional(text, ''),
  variant: optional(text, ''),
  os: optional(text, ''),
  'os.version': optional(text, ''),
  created: optional(text, ''),
  author: optional(text, ''),
  comment: optional(text, ''),
  docker_version: optional(text, ''),
  container: optional(text, ''),
  config: optional(imageRunConfig, imageRunConfig({}, 'config')),
  rootfs: object({ type: optional(text, 'layers'), diff_ids: optional(list(text), []) }),
  history: optional(
    list(
      object({
        created: optional(text, ''),
        created_by: optional(text, ''),
        author: optional(text, ''),
        comment: optional(text, ''),
        empty_layer: optional(flag, false),
      }),
    ),
    [],
  ),
});
export type ImageConfig = Decoded<typeof imageConfig>;

/** manifest.json of `docker save`. */
export const archiveManifest = list(
  object({ Config: text, RepoTags: nullable(list(text)), Layers: optional(list(text), []) }),
);

/** OCI descriptor, manifest and index, as far as an archive needs them. */
export const descriptor = object({
  mediaType: optional(text, ''),
  digest: text,
  size: integer,
  annotations: nullable(record(text)),
  platform: nullable(object({ architecture: text, os: text, variant: optional(text, '') })),
});

export interface Image {
  readonly id: ImageID;
  readonly config: ImageConfig;
  readonly diffIDs: readonly DiffID[];
}

export interface DeleteRow {
  readonly Untagged?: string;
  readonly Deleted?: string;
}
/** Rows and answers of the images endpoints, as in the published API document. */
export type ImageSummary = Readonly<Record<string, unknown>> & { readonly Id: string };
export type ImageInspect = Readonly<Record<string, unknown>> & { readonly Id: string };
export type HistoryRow = Readonly<Record<string, unknown>> & { readonly Id: string };
