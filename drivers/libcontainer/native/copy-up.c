#include "perform.h"
int perform_copy_up(struct interpreter *interpreter, const struct op_copy_up *op) { (void)interpreter, (void)op; return -ENOTSUP; }
