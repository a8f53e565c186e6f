/* The operation `device_filter`: bpf(2) for one program type. */
#include <sys/syscall.h>

#include "perform.h"

enum { BPF_PROG_LOAD_ = 5, BPF_PROG_ATTACH_ = 8 };
enum { PROG_TYPE_CGROUP_DEVICE = 15, ATTACH_CGROUP_DEVICE = 6, ALLOW_MULTI = 2 };
enum { INSTRUCTION_BYTES = 8, MAX_INSTRUCTIONS = 4096 };

/* The beginning of union bpf_attr, as far as each command needs it (linux/bpf.h). */
struct load {
  uint32_t type;
  uint32_t count;
  uint64_t instructions;
  uint64_t license;
  uint32_t log_level;
  uint32_t log_size;
  uint64_t log;
  uint32_t kernel_version;
  uint32_t flags;
  char name[16];
  uint32_t interface;
  uint32_t attach_type;
};
struct attachment {
  uint32_t target;
  uint32_t program;
  uint32_t type;
  uint32_t flags;
};

static int bpf(int command, const void *attr, size_t size) { return result_of(syscall(SYS_bpf, command, attr, size)); }

static int load(const struct bytes *program) {
  const struct load attr = {
      .type = PROG_TYPE_CGROUP_DEVICE,
      .count = program->length / INSTRUCTION_BYTES,
      .instructions = (uint64_t)(uintptr_t)program->data,
      .license = (uint64_t)(uintptr_t) "Apache-2.0",
      .name = "gantry_devices",
      .attach_type = ATTACH_CGROUP_DEVICE,
  };
  return bpf(BPF_PROG_LOAD_, &attr, sizeof attr);
}

int perform_device_filter(struct interpreter *interpreter, const struct op_device_filter *op) {
  const int cgroup = slot_get(interpreter, op->slot);
  if (cgroup < 0) return cgroup;
  if (op->program.length % INSTRUCTION_BYTES || op->program.length / INSTRUCTION_BYTES > MAX_INSTRUCTIONS) return -EINVAL;
  const int program = load(&op->program);
  if (program < 0) return program;
  const struct attachment attr = {
      .target = (uint32_t)cgroup,
      .program = (uint32_t)program,
      .type = ATTACH_CGROUP_DEVICE,
      .flags = ALLOW_MULTI,
  };
  const int error = bpf(BPF_PROG_ATTACH_, &attr, sizeof attr);
  close(program);
  return error;
}
