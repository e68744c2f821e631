/* What the guests here share: imports of interfaces by hand, as the canonical ABI has them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern
#define EXPORT(name) __attribute__((export_name(name)))

#define IO_POLL "wasi:io/poll@0.2.12"
#define IO_STREAMS "wasi:io/streams@0.2.12"
#define IO_ERROR "wasi:io/error@0.2.12"

/* a place for results, and how to look into it */
typedef struct { _Alignas(8) uint8_t bytes[64]; } Result;

#define U8(r, at) ((r).bytes[at])
#define U16(r, at) (*(uint16_t *)((r).bytes + (at)))
#define U32(r, at) (*(uint32_t *)((r).bytes + (at)))
#define U64(r, at) (*(uint64_t *)((r).bytes + (at)))
#define TEXT(r, at) (*(const char **)((r).bytes + (at)))

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size;
  (void)align;
  if (size == 0) return (void *)align;
  return realloc(old, size);
}

IMPORT(IO_POLL, "[method]pollable.block") void pollable_block(int32_t self);
IMPORT(IO_POLL, "[method]pollable.ready") int32_t pollable_ready(int32_t self);
IMPORT(IO_POLL, "[resource-drop]pollable") void pollable_drop(int32_t self);
IMPORT(IO_STREAMS, "[method]input-stream.read") void input_read(int32_t self, int64_t length, Result *);
IMPORT(IO_STREAMS, "[method]input-stream.blocking-read") void input_blocking_read(int32_t self, int64_t length, Result *);
IMPORT(IO_STREAMS, "[method]input-stream.subscribe") int32_t input_subscribe(int32_t self);
IMPORT(IO_STREAMS, "[resource-drop]input-stream") void input_drop(int32_t self);
IMPORT(IO_STREAMS, "[method]output-stream.check-write") void output_check(int32_t self, Result *);
IMPORT(IO_STREAMS, "[method]output-stream.write") void output_write(int32_t self, const void *, size_t, Result *);
IMPORT(IO_STREAMS, "[method]output-stream.blocking-write-and-flush") void output_blocking_write(int32_t self, const void *, size_t, Result *);
IMPORT(IO_STREAMS, "[method]output-stream.blocking-flush") void output_blocking_flush(int32_t self, Result *);
IMPORT(IO_STREAMS, "[method]output-stream.subscribe") int32_t output_subscribe(int32_t self);
IMPORT(IO_STREAMS, "[resource-drop]output-stream") void output_drop(int32_t self);
IMPORT(IO_ERROR, "[method]error.to-debug-string") void error_text(int32_t self, Result *);
IMPORT(IO_ERROR, "[resource-drop]error") void error_drop(int32_t self);

/* waits for a pollable and lets go of it */
static inline void await(int32_t pollable) {
  pollable_block(pollable);
  pollable_drop(pollable);
}
