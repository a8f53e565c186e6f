/*
 * N-API glue of the addon (https://nodejs.org/api/n-api.html): the table of calls of addon.h, once as `sync` and once as
 * `pool`, whose functions give a promise; and the exit watcher.
 */
#include "addon.h"

#include <errno.h>
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
  struct request request;
  const struct call *call;
  int64_t result;
  napi_async_work work;
  napi_deferred deferred;
  void *owned[MAX_ARGUMENTS];
  int owned_count;
};

struct instance {
  struct exit_watcher *watcher;
  napi_threadsafe_function on_exit;
};

int64_t answer_bytes(struct request *r, const void *bytes, size_t length) {
  r->answer = malloc(length ? length : 1);
  if (!r->answer) return -ENOMEM;
  if (length)
    memcpy(r->answer, bytes, length);
  r->answer_length = length;
  return 0;
}

struct own_thread {
  call_function *work;
  struct request *request;
  int64_t result;
};

static void *own_thread_main(void *argument) {
  struct own_thread *own = argument;
  own->result = own->work(own->request);
  return NULL;
}

int64_t on_own_thread(call_function *work, struct request *r) {
  struct own_thread own = {work, r, -EAGAIN};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, own_thread_main, &own);
  if (error) return -error;
  pthread_join(thread, NULL);
  return own.result;
}

static void job_free(struct job *job) {
  for (int i = 0; i < job->owned_count; i++)
    free(job->owned[i]);
  free(job->request.answer);
  free(job);
}

static bool take_string(napi_env env, napi_value value, struct job *job, const char **out) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return false;
  char *text = malloc(length + 1);
  if (!text) return false;
  job->owned[job->owned_count++] = text;
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  *out = text;
  return strlen(text) == length;
}

static bool take_bytes(napi_env env, napi_value value, struct job *job, const uint8_t **out, size_t *length) {
  void *data;
  napi_typedarray_type type;
  bool is_array = false;
  napi_is_typedarray(env, value, &is_array);
  if (!is_array || napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array)
    return false;
  uint8_t *copy = malloc(*length ? *length : 1);
  if (!copy) return false;
  job->owned[job->owned_count++] = copy;
  if (*length)
    memcpy(copy, data, *length);
  *out = copy;
  return true;
}

static bool take_arguments(napi_env env, const napi_value *values, struct job *job) {
  int numbers = 0, strings = 0, bytes = 0;
  struct request *r = &job->request;
  for (const char *kind = job->call->signature; *kind; kind++, values++) {
    bool fits = false;
    if (*kind == 'i')
      fits = napi_get_value_int64(env, *values, &r->number[numbers++]) == napi_ok;
    else if (*kind == 's')
      fits = take_string(env, *values, job, &r->string[strings++]);
    else if (*kind == 'b') {
      fits = take_bytes(env, *values, job, &r->bytes[bytes], &r->length[bytes]);
      bytes++;
    }
    if (!fits) return false;
  }
  return true;
}

/* NULL when a JavaScript exception is pending. */
static struct job *job_from(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
  void *data;
  napi_get_cb_info(env, info, &count, values, NULL, &data);
  struct job *job = calloc(1, sizeof *job);
  if (!job) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  job->call = data;
  if (count == strlen(job->call->signature) && take_arguments(env, values, job)) return job;
  job_free(job);
  napi_throw_type_error(env, NULL, "arguments do not fit the call, or a string holds a NUL");
  return NULL;
}

static napi_value job_answer(napi_env env, const struct job *job) {
  napi_value value;
  if (job->result >= 0 && job->request.answer)
    napi_create_buffer_copy(env, job->request.answer_length, job->request.answer, NULL, &value);
  else
    napi_create_int64(env, job->result, &value);
  return value;
}

static napi_value call_sync(napi_env env, napi_callback_info info) {
  struct job *job = job_from(env, info);
  if (!job) return NULL;
  job->result = job->call->run(&job->request);
  napi_value value = job_answer(env, job);
  job_free(job);
  return value;
}

static void job_run(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  job->result = job->call->run(&job->request);
}

static void job_done(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  if (status != napi_ok)
    job->result = -ECANCELED;
  napi_resolve_deferred(env, job->deferred, job_answer(env, job));
  napi_delete_async_work(env, job->work);
  job_free(job);
}

static napi_value call_pool(napi_env env, napi_callback_info info) {
  struct job *job = job_from(env, info);
  napi_value promise, name;
  if (!job) return NULL;
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_string_utf8(env, job->call->name, NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, job_run, job_done, job, &job->work);
  napi_queue_async_work(env, job->work);
  return promise;
}

/* On the loop's thread. */
static void exit_deliver(napi_env env, napi_value unused, void *context, void *data) {
  (void)unused;
  (void)context;
  struct watched *watched = data;
  if (env) {
    napi_value receiver, callback, values[2];
    napi_get_undefined(env, &receiver);
    napi_get_reference_value(env, watched->tag, &callback);
    napi_create_int32(env, watched->code, &values[0]);
    napi_create_int32(env, watched->signal, &values[1]);
    napi_delete_reference(env, watched->tag);
    napi_call_function(env, receiver, callback, 2, values, NULL);
  }
  free(watched);
}

/* On the watcher's thread. */
static void exit_seen(void *context, struct watched *watched) {
  struct instance *instance = context;
  if (napi_call_threadsafe_function(instance->on_exit, watched, napi_tsfn_nonblocking) != napi_ok) free(watched);
}

/* The watcher is started for the first process. It does not keep the loop running. */
static int64_t ensure_watcher(napi_env env, struct instance *instance) {
  napi_value name;
  if (instance->watcher) return 0;
  napi_create_string_utf8(env, "exit watcher", NAPI_AUTO_LENGTH, &name);
  if (!instance->on_exit) {
    if (napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, exit_deliver,
                                        &instance->on_exit) != napi_ok)
      return -ENOMEM;
    napi_unref_threadsafe_function(env, instance->on_exit);
  }
  instance->watcher = exit_watcher_start(exit_seen, instance);
  return instance->watcher ? 0 : -errno;
}

static int64_t watch_process(napi_env env, struct instance *instance, int32_t pidfd, napi_value callback) {
  int64_t result = ensure_watcher(env, instance);
  struct watched *watched = result ? NULL : calloc(1, sizeof *watched);
  napi_ref reference;
  if (!watched) return result ? result : -ENOMEM;
  napi_create_reference(env, callback, 1, &reference);
  watched->pidfd = pidfd;
  watched->tag = reference;
  result = exit_watcher_add(instance->watcher, watched);
  if (result) {
    napi_delete_reference(env, reference);
    free(watched);
  }
  return result;
}

/* watch(pidfd, callback): once, `callback(code, signal)`. The descriptor must stay open until then. */
static napi_value watch(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], result;
  napi_valuetype type = napi_undefined;
  struct instance *instance;
  int32_t pidfd = -1;
  napi_get_cb_info(env, info, &count, values, NULL, (void **)&instance);
  napi_typeof(env, values[1], &type);
  if (napi_get_value_int32(env, values[0], &pidfd) != napi_ok || type != napi_function) {
    napi_throw_type_error(env, NULL, "watch is called with a descriptor and a function");
    return NULL;
  }
  napi_create_int64(env, watch_process(env, instance, pidfd, values[1]), &result);
  return result;
}

static void instance_end(void *data) {
  struct instance *instance = data;
  if (instance->watcher) exit_watcher_stop(instance->watcher);
  if (instance->on_exit) napi_release_threadsafe_function(instance->on_exit, napi_tsfn_abort);
  free(instance);
}

static void add_calls(napi_env env, napi_value object, const struct call *table, enum where unfit, napi_callback how) {
  for (const struct call *call = table; call->name; call++) {
    napi_value function;
    if (call->where == unfit) continue;
    napi_create_function(env, call->name, NAPI_AUTO_LENGTH, how, (void *)call, &function);
    napi_set_named_property(env, object, call->name, function);
  }
}

static void add_function(napi_env env, napi_value object, const char *name, napi_callback how, void *data) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, how, data, &function);
  napi_set_named_property(env, object, name, function);
}

NAPI_MODULE_INIT() {
  static const struct call *const tables[] = {file_calls,   beneath_calls, process_calls,
                                              socket_calls, program_calls, tree_calls};
  struct instance *instance = calloc(1, sizeof *instance);
  napi_value sync, pool;
  if (!instance) return NULL;
  napi_create_object(env, &sync);
  napi_create_object(env, &pool);
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    add_calls(env, sync, tables[i], POOL_ONLY, call_sync);
    add_calls(env, pool, tables[i], LOOP_ONLY, call_pool);
  }
  napi_set_named_property(env, exports, "sync", sync);
  napi_set_named_property(env, exports, "pool", pool);
  add_function(env, exports, "watch", watch, instance);
  napi_add_env_cleanup_hook(env, instance_end, instance);
  return exports;
}
