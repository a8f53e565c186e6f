/* Whiteouts of a layer archive (OCI image-spec, layer.md): `.wh.NAME` says that NAME of the layers below is gone,
 * `.wh..wh..opq` that all there was in its folder is. */
#ifndef GANTRY_WHITEOUT_H
#define GANTRY_WHITEOUT_H

#include "target.h"

enum whiteout {
  WHITEOUT_NONE,
  WHITEOUT_NAME,
  WHITEOUT_OPAQUE,
  WHITEOUT_IGNORED, /* bookkeeping of aufs, `.wh..wh.` and whatever */
  WHITEOUT_BAD,
};

/* Looks at a clean path. With WHITEOUT_BAD, `*why` says what is wrong. */
enum whiteout whiteout_kind(const char *path, const char **why);

/* `name` is the last of such a path. 0 or -errno. */
int apply_whiteout(struct target *target, int folder, const char *name);

#endif
