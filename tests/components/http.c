/*
 * Makes requests: http [OPTION]... METHOD SCHEME AUTHORITY PATH
 *   -H NAME:VALUE  a header
 *   -b TEXT        a body, written before the request is handed over
 *   -n SIZE        a body of so many bytes, written after that; -N SIZE: before that
 *   -f MS, -g MS   the timeouts for the first byte and between bytes
 *   -x             the body is not finished but dropped
 *   -t             with a trailer
 *   -s             does not wait by a pollable but asks again and again
 * "-" for an argument leaves it out. Prints the status, the headers, an empty line and the body, or "error" and what
 * it is. "http fields" shows what fields do.
 */
#include "abi.h"

#define TYPES "wasi:http/types@0.2.12"

IMPORT(TYPES, "[constructor]fields") int32_t fields_new(void);
IMPORT(TYPES, "[static]fields.from-list") void fields_from(const void *, size_t, Result *);
IMPORT(TYPES, "[method]fields.append") void fields_append(int32_t, const char *, size_t, const char *, size_t, Result *);
IMPORT(TYPES, "[method]fields.set") void fields_set(int32_t, const char *, size_t, const void *, size_t, Result *);
IMPORT(TYPES, "[method]fields.delete") void fields_delete(int32_t, const char *, size_t, Result *);
IMPORT(TYPES, "[method]fields.get") void fields_get(int32_t, const char *, size_t, Result *);
IMPORT(TYPES, "[method]fields.has") int32_t fields_has(int32_t, const char *, size_t);
IMPORT(TYPES, "[method]fields.entries") void fields_entries(int32_t, Result *);
IMPORT(TYPES, "[method]fields.clone") int32_t fields_clone(int32_t);
IMPORT(TYPES, "[resource-drop]fields") void fields_drop(int32_t);
IMPORT(TYPES, "[constructor]outgoing-request") int32_t request_new(int32_t headers);
IMPORT(TYPES, "[method]outgoing-request.set-method") int32_t request_method(int32_t, int32_t, const char *, size_t);
IMPORT(TYPES, "[method]outgoing-request.set-scheme") int32_t request_scheme(int32_t, int32_t, int32_t, const char *, size_t);
IMPORT(TYPES, "[method]outgoing-request.set-authority") int32_t request_authority(int32_t, int32_t, const char *, size_t);
IMPORT(TYPES, "[method]outgoing-request.set-path-with-query") int32_t request_path(int32_t, int32_t, const char *, size_t);
IMPORT(TYPES, "[method]outgoing-request.headers") int32_t request_headers(int32_t);
IMPORT(TYPES, "[method]outgoing-request.body") void request_body(int32_t, Result *);
IMPORT(TYPES, "[method]outgoing-body.write") void body_write(int32_t, Result *);
IMPORT(TYPES, "[static]outgoing-body.finish") void body_finish(int32_t, int32_t, int32_t, Result *);
IMPORT(TYPES, "[resource-drop]outgoing-body") void body_drop(int32_t);
IMPORT(TYPES, "[constructor]request-options") int32_t options_new(void);
IMPORT(TYPES, "[method]request-options.set-connect-timeout") int32_t options_connect(int32_t, int32_t, int64_t);
IMPORT(TYPES, "[method]request-options.set-first-byte-timeout") int32_t options_first(int32_t, int32_t, int64_t);
IMPORT(TYPES, "[method]request-options.set-between-bytes-timeout") int32_t options_between(int32_t, int32_t, int64_t);
IMPORT(TYPES, "[method]future-incoming-response.subscribe") int32_t future_subscribe(int32_t);
IMPORT(TYPES, "[method]future-incoming-response.get") void future_get(int32_t, Result *);
IMPORT(TYPES, "[resource-drop]future-incoming-response") void future_drop(int32_t);
IMPORT(TYPES, "[method]incoming-response.status") int32_t response_status(int32_t);
IMPORT(TYPES, "[method]incoming-response.headers") int32_t response_headers(int32_t);
IMPORT(TYPES, "[method]incoming-response.consume") void response_consume(int32_t, Result *);
IMPORT(TYPES, "[resource-drop]incoming-response") void response_drop(int32_t);
IMPORT(TYPES, "[method]incoming-body.stream") void incoming_stream(int32_t, Result *);
IMPORT(TYPES, "[static]incoming-body.finish") int32_t incoming_finish(int32_t);
IMPORT(TYPES, "[method]future-trailers.subscribe") int32_t trailers_subscribe(int32_t);
IMPORT(TYPES, "[method]future-trailers.get") void trailers_get(int32_t, Result *);
IMPORT(TYPES, "http-error-code") void http_error_code(int32_t, Result *);
IMPORT("wasi:http/outgoing-handler@0.2.12", "handle") void handle(int32_t, int32_t, int32_t, Result *);

static const char *CODES[] = {
    "DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable",
    "destination-IP-prohibited", "destination-IP-unroutable", "connection-refused",
    "connection-terminated", "connection-timeout", "connection-read-timeout",
    "connection-write-timeout", "connection-limit-reached", "TLS-protocol-error",
    "TLS-certificate-error", "TLS-alert-received", "HTTP-request-denied",
    "HTTP-request-length-required", "HTTP-request-body-size", "HTTP-request-method-invalid",
    "HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-request-header-section-size",
    "HTTP-request-header-size", "HTTP-request-trailer-section-size", "HTTP-request-trailer-size",
    "HTTP-response-incomplete", "HTTP-response-header-section-size", "HTTP-response-header-size",
    "HTTP-response-body-size", "HTTP-response-trailer-section-size", "HTTP-response-trailer-size",
    "HTTP-response-transfer-coding", "HTTP-response-content-coding", "HTTP-response-timeout",
    "HTTP-upgrade-failed", "HTTP-protocol-error", "loop-detected", "configuration-error",
    "internal-error"};

/* an error-code, which stands at `at` */
static int failed(const char *what, Result *r, int at) {
  int code = U8(*r, at);
  printf("%s %s", what, CODES[code]);
  if (code == 38 && U8(*r, at + 8)) {
    printf(" %.*s", (int)U32(*r, at + 16), TEXT(*r, at + 12));
  }
  if (code == 17 && U8(*r, at + 8)) printf(" %llu", (unsigned long long)U64(*r, at + 16));
  printf("\n");
  return 1;
}

/* a stream-error, which stands at `at` */
static int stream_failed(const char *what, Result *r, int at) {
  if (U8(*r, at) == 1) {
    printf("%s closed\n", what);
    return 1;
  }
  int32_t error = U32(*r, at + 4);
  Result code;
  http_error_code(error, &code);
  if (!U8(code, 0)) printf("%s without a code\n", what);
  else failed(what, &code, 8);
  error_drop(error);
  return 1;
}

static const char *HEADER_ERRORS[] = {"invalid-syntax", "forbidden", "immutable"};

static void tell(const char *what, Result *r) {
  printf("%s: %s\n", what, U8(*r, 0) ? HEADER_ERRORS[U8(*r, 1)] : "ok");
}

static void show(int32_t fields) {
  Result r;
  fields_entries(fields, &r);
  const uint32_t *entries = (const uint32_t *)TEXT(r, 0);
  for (uint32_t i = 0; i < U32(r, 4); i++, entries += 4) {
    printf("%.*s: %.*s\n", (int)entries[1], (const char *)entries[0], (int)entries[3], (const char *)entries[2]);
  }
}

#define S(text) text, strlen(text)

static int fields(void) {
  Result r;
  int32_t f = fields_new();
  fields_append(f, S("X-One"), S("1"), &r), tell("append", &r);
  fields_append(f, S("x-one"), S("2"), &r), tell("append another", &r);
  fields_append(f, S("bad name"), S("1"), &r), tell("bad name", &r);
  fields_append(f, S(""), S("1"), &r), tell("no name", &r);
  fields_append(f, S("x"), S("a\nb"), &r), tell("bad value", &r);
  fields_append(f, S("x"), "a\0b", 3, &r), tell("value with NUL", &r);
  fields_append(f, S("Host"), S("a"), &r), tell("host", &r);
  fields_append(f, S("Transfer-Encoding"), S("chunked"), &r), tell("transfer-encoding", &r);
  show(f);
  fields_get(f, S("X-ONE"), &r);
  printf("get: %u\n", U32(r, 4));
  printf("has: %d %d\n", fields_has(f, S("x-ONE")), fields_has(f, S("y")));
  int32_t other = fields_clone(f);
  const void *values[] = {"3", (void *)1, "", (void *)0};
  fields_set(other, S("X-one"), values, 2, &r), tell("set", &r);
  fields_delete(f, S("x-one"), &r), tell("delete", &r);
  fields_delete(f, S("x y"), &r), tell("delete bad name", &r);
  printf("first:\n"), show(f);
  printf("clone:\n"), show(other);
  const void *list[] = {"A", (void *)1, "b", (void *)1, "a", (void *)1, "c", (void *)1};
  fields_from(list, 2, &r);
  printf("from: %d\n", U8(r, 0)), show(U32(r, 4));
  const void *wrong[] = {"connection", (void *)10, "b", (void *)1};
  fields_from(wrong, 1, &r);
  printf("from: %s\n", HEADER_ERRORS[U8(r, 4)]);
  int32_t request = request_new(other);
  int32_t headers = request_headers(request);
  fields_append(headers, S("x"), S("y"), &r), tell("of a request", &r);
  fields_delete(headers, S("x"), &r), tell("of a request", &r);
  printf("method %d, scheme %d, authority %d %d, path %d\n", request_method(request, 9, S("a b")),
         request_scheme(request, 1, 2, S("1x")), request_authority(request, 1, S("a/b")),
         request_authority(request, 1, S("a:b")), request_path(request, 1, S("/a b")));
  printf("method %d, scheme %d, authority %d %d, path %d\n", request_method(request, 9, S("PROPFIND")),
         request_scheme(request, 1, 2, S("ftp")), request_authority(request, 1, S("a:80")),
         request_authority(request, 0, S("")), request_path(request, 1, S("/a?b=c")));
  request_body(request, &r);
  int32_t body = U32(r, 4);
  printf("body %d", U8(r, 0)), request_body(request, &r), printf(" %d\n", U8(r, 0));
  body_write(body, &r);
  printf("stream %d", U8(r, 0)), body_write(body, &r), printf(" %d\n", U8(r, 0));
  return 0;
}

struct Options {
  const char *body;
  long size, first, between;
  int drop, trailer, spin, before;
};

/* writes so many bytes, as much as there is room for at a time */
static int write_all(int32_t stream, long size) {
  static char bytes[100000];
  memset(bytes, 'x', sizeof bytes);
  Result r;
  while (size > 0) {
    output_check(stream, &r);
    if (U8(r, 0)) return stream_failed("error in check-write", &r, 8);
    uint64_t room = U64(r, 8);
    if (room == 0) {
      await(output_subscribe(stream));
      continue;
    }
    if (room > sizeof bytes) room = sizeof bytes;
    if ((long)room > size) room = size;
    output_write(stream, bytes, room, &r);
    if (U8(r, 0)) return stream_failed("error in write", &r, 4);
    size -= room;
  }
  output_blocking_flush(stream, &r);
  return U8(r, 0) ? stream_failed("error in flush", &r, 4) : 0;
}

static int finish(int32_t body, struct Options *options) {
  Result r;
  if (options->drop) {
    body_drop(body);
    return 0;
  }
  int32_t trailers = 0;
  if (options->trailer) {
    trailers = fields_new();
    fields_append(trailers, S("x-end"), S("1"), &r);
  }
  body_finish(body, options->trailer, trailers, &r);
  return U8(r, 0) ? failed("error in finish", &r, 8) : 0;
}

static int read_body(int32_t response) {
  Result r;
  response_consume(response, &r);
  int32_t body = U32(r, 4);
  incoming_stream(body, &r);
  int32_t stream = U32(r, 4);
  for (;;) {
    input_blocking_read(stream, 10000, &r);
    if (U8(r, 0)) {
      if (U8(r, 4) == 1) break;
      fflush(stdout);
      return stream_failed("\nerror in body", &r, 4);
    }
    fwrite(TEXT(r, 4), 1, U32(r, 8), stdout);
    free((void *)TEXT(r, 4));
  }
  input_drop(stream);
  int32_t trailers = incoming_finish(body);
  await(trailers_subscribe(trailers));
  trailers_get(trailers, &r);
  if (!U8(r, 0) || U8(r, 8) || U8(r, 16) || U8(r, 24)) printf("\nerror in trailers\n");
  trailers_get(trailers, &r);
  if (!U8(r, 0) || !U8(r, 8)) printf("\ntrailers twice\n");
  return 0;
}

static int receive(int32_t future, struct Options *options) {
  Result r;
  if (options->spin) {
    do future_get(future, &r);
    while (!U8(r, 0));
  } else {
    future_get(future, &r);
    if (!U8(r, 0)) {
      await(future_subscribe(future));
      future_get(future, &r);
    }
  }
  if (!U8(r, 0) || U8(r, 8)) return printf("not there\n");
  if (U8(r, 16)) return failed("error", &r, 24);
  int32_t response = U32(r, 24);
  future_get(future, &r);
  if (!U8(r, 0) || !U8(r, 8)) printf("twice\n");
  printf("status %d\n", response_status(response));
  int32_t headers = response_headers(response);
  show(headers);
  fields_append(headers, S("x"), S("y"), &r);
  if (!U8(r, 0) || U8(r, 1) != 2) printf("not immutable\n");
  fields_drop(headers);
  printf("\n");
  int code = read_body(response);
  response_drop(response);
  future_drop(future);
  return code;
}

static const char *METHODS[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

static int method(int32_t request, const char *name) {
  for (int i = 0; i < 9; i++) {
    if (strcmp(name, METHODS[i]) == 0) return request_method(request, i, "", 0);
  }
  return request_method(request, 9, S(name));
}

static int scheme(int32_t request, const char *name) {
  if (strcmp(name, "-") == 0) return 0;
  int which = strcmp(name, "http") == 0 ? 0 : strcmp(name, "https") == 0 ? 1 : 2;
  return request_scheme(request, 1, which, S(name));
}

static int given(const char *text) { return strcmp(text, "-") != 0; }

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOFBF, 65536);
  if (argc == 2 && strcmp(argv[1], "fields") == 0) return fields();
  struct Options options = {NULL, -1, -1, -1, 0, 0, 0, 0};
  Result r;
  int32_t headers = fields_new();
  int i = 1;
  for (; i < argc && argv[i][0] == '-' && argv[i][1] != 0; i++) {
    switch (argv[i][1]) {
      case 'H': {
        char *value = strchr(argv[++i], ':');
        fields_append(headers, argv[i], value - argv[i], S(value + 1), &r);
        if (U8(r, 0)) tell("header", &r);
        break;
      }
      case 'b': options.body = argv[++i]; break;
      case 'N': options.before = 1; /* fall through */
      case 'n': options.size = atol(argv[++i]); break;
      case 'f': options.first = atol(argv[++i]); break;
      case 'g': options.between = atol(argv[++i]); break;
      case 'x': options.drop = 1; break;
      case 't': options.trailer = 1; break;
      case 's': options.spin = 1; break;
    }
  }
  if (argc - i != 4) return 2;
  int32_t request = request_new(headers);
  if (method(request, argv[i]) || scheme(request, argv[i + 1]) ||
      request_authority(request, given(argv[i + 2]), S(argv[i + 2])) ||
      request_path(request, given(argv[i + 3]), S(argv[i + 3]))) {
    printf("refused\n");
    return 1;
  }
  int32_t body = 0, stream = 0;
  if (options.body != NULL || options.size >= 0) {
    request_body(request, &r);
    body = U32(r, 4);
    body_write(body, &r);
    stream = U32(r, 4);
  }
  if (options.body != NULL) {
    output_blocking_write(stream, S(options.body), &r);
    if (U8(r, 0)) return stream_failed("error in write", &r, 4);
    output_drop(stream);
    if (finish(body, &options)) return 1;
  }
  if (options.before) {
    if (write_all(stream, options.size)) return 1;
    output_drop(stream);
    if (finish(body, &options)) return 1;
    options.size = -1;
  }
  int32_t settings = 0;
  if (options.first >= 0 || options.between >= 0) {
    settings = options_new();
    if (options.first >= 0) {
      options_connect(settings, 1, 0);
      options_first(settings, 1, options.first * 1000000LL);
    }
    if (options.between >= 0) options_between(settings, 1, options.between * 1000000LL);
  }
  handle(request, settings != 0, settings, &r);
  if (U8(r, 0)) return failed("refused", &r, 8);
  int32_t future = U32(r, 8);
  if (options.size >= 0) {
    if (write_all(stream, options.size)) return 1;
    output_drop(stream);
    finish(body, &options);
  }
  return receive(future, &options);
}
