/*
 * Uses sockets. ADDRESS is four numbers with dots, or ::1.
 *   sockets connect ADDRESS PORT TEXT   sends TEXT and the end, prints what comes
 *   sockets from ADDRESS PORT TEXT      the same from a socket that is bound to 127.0.0.1
 *   sockets pump ADDRESS PORT SIZE      sends so many bytes, prints how many come back
 *   sockets serve ADDRESS PORT COUNT    listens, prints its port, echoes to so many connections
 *   sockets states ADDRESS PORT         what each call says in each state; PORT listens
 *   sockets udp ADDRESS PORT TEXT       sends a datagram and prints what comes, "one" to that peer only
 *   sockets datagrams ADDRESS PORT      prints its port, then answers one datagram
 *   sockets resolve NAME                prints addresses
 */
#include "abi.h"

#define TCP "wasi:sockets/tcp@0.2.12"
#define UDP "wasi:sockets/udp@0.2.12"
#define LOOKUP "wasi:sockets/ip-name-lookup@0.2.12"

/* an address, flat */
#define A int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t
#define FLAT(a) (a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5], (a)[6], (a)[7], (a)[8], (a)[9], (a)[10], (a)[11]

IMPORT("wasi:sockets/instance-network@0.2.12", "instance-network") int32_t instance_network(void);
IMPORT("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket") void tcp_create(int32_t family, Result *);
IMPORT(TCP, "[method]tcp-socket.start-bind") void tcp_start_bind(int32_t, int32_t, A, Result *);
IMPORT(TCP, "[method]tcp-socket.finish-bind") void tcp_finish_bind(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.start-connect") void tcp_start_connect(int32_t, int32_t, A, Result *);
IMPORT(TCP, "[method]tcp-socket.finish-connect") void tcp_finish_connect(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.start-listen") void tcp_start_listen(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.finish-listen") void tcp_finish_listen(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.accept") void tcp_accept(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.local-address") void tcp_local(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.remote-address") void tcp_remote(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.is-listening") int32_t tcp_is_listening(int32_t);
IMPORT(TCP, "[method]tcp-socket.address-family") int32_t tcp_family(int32_t);
IMPORT(TCP, "[method]tcp-socket.set-listen-backlog-size") void tcp_backlog(int32_t, int64_t, Result *);
IMPORT(TCP, "[method]tcp-socket.set-keep-alive-enabled") void tcp_keep_alive(int32_t, int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.set-keep-alive-idle-time") void tcp_idle(int32_t, int64_t, Result *);
IMPORT(TCP, "[method]tcp-socket.set-hop-limit") void tcp_hop_limit(int32_t, int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.set-receive-buffer-size") void tcp_set_receive(int32_t, int64_t, Result *);
IMPORT(TCP, "[method]tcp-socket.receive-buffer-size") void tcp_receive(int32_t, Result *);
IMPORT(TCP, "[method]tcp-socket.subscribe") int32_t tcp_subscribe(int32_t);
IMPORT(TCP, "[method]tcp-socket.shutdown") void tcp_shutdown(int32_t, int32_t, Result *);
IMPORT(TCP, "[resource-drop]tcp-socket") void tcp_drop(int32_t);
IMPORT("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket") void udp_create(int32_t family, Result *);
IMPORT(UDP, "[method]udp-socket.start-bind") void udp_start_bind(int32_t, int32_t, A, Result *);
IMPORT(UDP, "[method]udp-socket.finish-bind") void udp_finish_bind(int32_t, Result *);
IMPORT(UDP, "[method]udp-socket.stream") void udp_stream(int32_t, int32_t, A, Result *);
IMPORT(UDP, "[method]udp-socket.local-address") void udp_local(int32_t, Result *);
IMPORT(UDP, "[method]udp-socket.remote-address") void udp_remote(int32_t, Result *);
IMPORT(UDP, "[method]udp-socket.subscribe") int32_t udp_subscribe(int32_t);
IMPORT(UDP, "[method]incoming-datagram-stream.receive") void udp_receive(int32_t, int64_t, Result *);
IMPORT(UDP, "[method]incoming-datagram-stream.subscribe") int32_t udp_incoming(int32_t);
IMPORT(UDP, "[method]outgoing-datagram-stream.check-send") void udp_check(int32_t, Result *);
IMPORT(UDP, "[method]outgoing-datagram-stream.send") void udp_send(int32_t, const void *, size_t, Result *);
IMPORT(LOOKUP, "resolve-addresses") void resolve(int32_t, const char *, size_t, Result *);
IMPORT(LOOKUP, "[method]resolve-address-stream.resolve-next-address") void resolve_next(int32_t, Result *);
IMPORT(LOOKUP, "[method]resolve-address-stream.subscribe") int32_t resolve_subscribe(int32_t);

static const char *CODES[] = {
    "unknown", "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout",
    "concurrency-conflict", "not-in-progress", "would-block", "invalid-state", "new-socket-limit",
    "address-not-bindable", "address-in-use", "remote-unreachable", "connection-refused",
    "connection-reset", "connection-aborted", "datagram-too-large", "name-unresolvable",
    "temporary-resolver-failure", "permanent-resolver-failure"};

#define WOULD_BLOCK 8

static int32_t network;

static void tell(const char *what, Result *r, int at) {
  printf("%s: %s\n", what, U8(*r, 0) ? CODES[U8(*r, at)] : "ok");
}

/* a result that is an error */
static int failed(const char *what, Result *r, int at) {
  if (!U8(*r, 0)) return 0;
  tell(what, r, at);
  return 1;
}

/* an address as parameters: four numbers, or ::1 */
static void address(int32_t *a, const char *text, int port) {
  memset(a, 0, 12 * sizeof *a);
  a[1] = port;
  if (strchr(text, ':')) {
    a[0] = 1;
    a[10] = strcmp(text, "::1") == 0;
  } else {
    char *at = (char *)text;
    for (int i = 2; i < 6; i++) {
      a[i] = strtol(at, &at, 10);
      if (*at) at++;
    }
  }
}

static void show(const char *what, Result *r) {
  if (failed(what, r, 4)) return;
  if (U8(*r, 4) == 0) {
    printf("%s: %d.%d.%d.%d %d\n", what, U8(*r, 10), U8(*r, 11), U8(*r, 12), U8(*r, 13), U16(*r, 8));
  } else {
    printf("%s: ...%x %d\n", what, U16(*r, 30), U16(*r, 8));
  }
}

/* waits for one of the calls that finish */
#define FINISH(call, socket, subscribe, r, at)                      \
  for (;;) {                                                        \
    call(socket, r);                                                \
    if (!U8(*(r), 0) || U8(*(r), at) != WOULD_BLOCK) break;         \
    await(subscribe(socket));                                       \
  }

static int32_t tcp(const char *where, Result *r) {
  tcp_create(strchr(where, ':') != NULL, r);
  if (failed("create", r, 4)) exit(1);
  return U32(*r, 4);
}

static int bind_tcp(int32_t socket, const char *where, int port, Result *r) {
  int32_t a[12];
  address(a, where, port);
  tcp_start_bind(socket, network, FLAT(a), r);
  if (failed("bind", r, 1)) return 1;
  FINISH(tcp_finish_bind, socket, tcp_subscribe, r, 1)
  return failed("bind", r, 1);
}

static int connect_tcp(int32_t socket, const char *where, int port, Result *r) {
  int32_t a[12];
  address(a, where, port);
  tcp_start_connect(socket, network, FLAT(a), r);
  if (failed("connect", r, 1)) return 1;
  FINISH(tcp_finish_connect, socket, tcp_subscribe, r, 4)
  return failed("connect", r, 4);
}

static int stream_failed(const char *what, Result *r, int at) {
  if (U8(*r, at) == 1) return printf("%s: closed\n", what), 1;
  Result text;
  error_text(U32(*r, at + 4), &text);
  printf("%s: %.*s\n", what, (int)U32(text, 4), TEXT(text, 0));
  return 1;
}

/* sends what there is to send as far as there is room, and prints or counts what comes */
static int talk(int32_t socket, int32_t in, int32_t out, const char *text, long size, int quiet) {
  static char bytes[65536];
  Result r;
  long count = 0;
  if (text != NULL) {
    output_blocking_write(out, text, strlen(text), &r);
    if (U8(r, 0)) return stream_failed("write", &r, 4);
    tcp_shutdown(socket, 1, &r);
    output_check(out, &r);
    if (!U8(r, 0) || U8(r, 8) != 1) printf("not closed\n");
  }
  for (;;) {
    if (text == NULL && size > 0) {
      output_check(out, &r);
      if (U8(r, 0)) return stream_failed("check", &r, 8);
      uint64_t room = U64(r, 8);
      if (room > sizeof bytes) room = sizeof bytes;
      if ((long)room > size) room = size;
      if (room > 0) {
        output_write(out, bytes, room, &r);
        if (U8(r, 0)) return stream_failed("write", &r, 4);
        size -= room;
        if (size == 0) {
          output_blocking_flush(out, &r);
          tcp_shutdown(socket, 1, &r);
        }
      }
      input_read(in, sizeof bytes, &r);
    } else {
      input_blocking_read(in, sizeof bytes, &r);
    }
    if (U8(r, 0)) {
      if (U8(r, 4) == 1) break;
      return stream_failed("read", &r, 4);
    }
    count += U32(r, 8);
    if (!quiet) fwrite(TEXT(r, 4), 1, U32(r, 8), stdout);
    if (U32(r, 8)) free((void *)TEXT(r, 4));
  }
  if (quiet) printf("%ld bytes\n", count);
  else printf("\n");
  return 0;
}

static int client(const char *where, int port, const char *text, long size, int bound) {
  Result r;
  int32_t socket = tcp(where, &r);
  int from = 0;
  if (bound) {
    if (bind_tcp(socket, "127.0.0.1", 0, &r)) return 1;
    tcp_local(socket, &r);
    from = U16(r, 8);
    if (from == 0) printf("no port\n");
  }
  if (connect_tcp(socket, where, port, &r)) return 1;
  int32_t in = U32(r, 4), out = U32(r, 8);
  tcp_remote(socket, &r);
  if (U16(r, 8) != port) show("remote", &r);
  tcp_local(socket, &r);
  if (U16(r, 8) == 0 || (bound && U16(r, 8) != from)) show("local", &r);
  int code = talk(socket, in, out, text, size, size > 0);
  input_drop(in), output_drop(out), tcp_drop(socket);
  return code;
}

static int serve(const char *where, int port, int count) {
  Result r;
  int32_t socket = tcp(where, &r);
  if (bind_tcp(socket, where, port, &r)) return 1;
  tcp_start_listen(socket, &r);
  if (failed("listen", &r, 1)) return 1;
  tcp_finish_listen(socket, &r);
  if (failed("listen", &r, 1)) return 1;
  tcp_local(socket, &r);
  printf("%d\n", U16(r, 8));
  fflush(stdout);
  while (count-- > 0) {
    FINISH(tcp_accept, socket, tcp_subscribe, &r, 4)
    if (failed("accept", &r, 4)) return 1;
    int32_t peer = U32(r, 4), in = U32(r, 8), out = U32(r, 12);
    for (;;) {
      input_blocking_read(in, 65536, &r);
      if (U8(r, 0)) break;
      const char *bytes = TEXT(r, 4);
      uint32_t length = U32(r, 8);
      for (uint32_t at = 0, part; at < length; at += part) {
        part = length - at > 4096 ? 4096 : length - at;
        Result w;
        output_blocking_write(out, bytes + at, part, &w);
        if (U8(w, 0)) return stream_failed("write", &w, 4);
      }
      free((void *)bytes);
    }
    /* what is written last comes, too */
    output_blocking_write(out, " bye", 4, &r);
    input_drop(in), output_drop(out), tcp_drop(peer);
  }
  return 0;
}

static int states(const char *where, int port) {
  Result r;
  int32_t a[12], b[12];
  address(a, "127.0.0.1", 0);
  int32_t s = tcp("127.0.0.1", &r);
  tcp_finish_bind(s, &r), tell("finish-bind", &r, 1);
  tcp_finish_connect(s, &r), tell("finish-connect", &r, 4);
  tcp_start_listen(s, &r), tell("start-listen", &r, 1);
  tcp_finish_listen(s, &r), tell("finish-listen", &r, 1);
  tcp_accept(s, &r), tell("accept", &r, 4);
  tcp_local(s, &r), tell("local-address", &r, 4);
  tcp_remote(s, &r), tell("remote-address", &r, 4);
  tcp_shutdown(s, 2, &r), tell("shutdown", &r, 1);
  printf("listening %d, family %d\n", tcp_is_listening(s), tcp_family(s));
  address(b, "::1", 0);
  tcp_start_bind(s, network, FLAT(b), &r), tell("bind to IPv6", &r, 1);
  address(b, "224.0.0.1", 0);
  tcp_start_bind(s, network, FLAT(b), &r), tell("bind to multicast", &r, 1);
  address(b, "0.0.0.0", 80);
  tcp_start_connect(s, network, FLAT(b), &r), tell("connect to 0.0.0.0", &r, 1);
  address(b, "127.0.0.1", 0);
  tcp_start_connect(s, network, FLAT(b), &r), tell("connect to port 0", &r, 1);
  tcp_backlog(s, 0, &r), tell("backlog 0", &r, 1);
  tcp_idle(s, 0, &r), tell("idle 0", &r, 1);
  tcp_keep_alive(s, 1, &r), tell("keep-alive", &r, 1);
  tcp_hop_limit(s, 0, &r), tell("hop-limit 0", &r, 1);
  tcp_set_receive(s, 0, &r), tell("receive-buffer-size 0", &r, 1);
  tcp_set_receive(s, 10000, &r), tcp_receive(s, &r);
  printf("receive-buffer-size %d\n", (int)U64(r, 8));
  tcp_start_bind(s, network, FLAT(a), &r), tell("start-bind", &r, 1);
  tcp_start_bind(s, network, FLAT(a), &r), tell("start-bind again", &r, 1);
  FINISH(tcp_finish_bind, s, tcp_subscribe, &r, 1)
  tell("finish-bind", &r, 1);
  tcp_start_bind(s, network, FLAT(a), &r), tell("start-bind when bound", &r, 1);
  tcp_start_listen(s, &r), tell("start-listen", &r, 1);
  tcp_finish_listen(s, &r), tell("finish-listen", &r, 1);
  printf("listening %d\n", tcp_is_listening(s));
  tcp_accept(s, &r), tell("accept", &r, 4);
  address(b, where, port);
  tcp_start_connect(s, network, FLAT(b), &r), tell("connect when listening", &r, 1);
  tcp_local(s, &r);
  int32_t t = tcp("127.0.0.1", &r), own[12];
  tcp_local(s, &r);
  address(own, "127.0.0.1", U16(r, 8));
  if (connect_tcp(t, "127.0.0.1", port, &r)) return 1;
  printf("connected\n");
  tcp_start_connect(t, network, FLAT(b), &r), tell("connect when connected", &r, 1);
  tcp_start_listen(t, &r), tell("listen when connected", &r, 1);
  tcp_backlog(t, 5, &r), tell("backlog when connected", &r, 1);
  tcp_shutdown(t, 2, &r), tell("shutdown", &r, 1);
  tcp_shutdown(t, 2, &r), tell("shutdown again", &r, 1);
  int32_t u = tcp("127.0.0.1", &r);
  tcp_start_bind(u, network, FLAT(own), &r);
  FINISH(tcp_finish_bind, u, tcp_subscribe, &r, 1)
  tell("bind to a port in use", &r, 1);
  return 0;
}

static int32_t udp(const char *where, int port, Result *r) {
  int32_t a[12];
  udp_create(strchr(where, ':') != NULL, r);
  if (failed("create", r, 4)) exit(1);
  int32_t socket = U32(*r, 4);
  udp_local(socket, r);
  if (!U8(*r, 0) || U8(*r, 4) != 9) printf("has an address\n");
  address(a, where, port);
  udp_stream(socket, 0, FLAT(a), r);
  if (!U8(*r, 0) || U8(*r, 4) != 9) printf("streams\n");
  udp_start_bind(socket, network, FLAT(a), r);
  if (failed("bind", r, 1)) exit(1);
  FINISH(udp_finish_bind, socket, udp_subscribe, r, 1)
  if (failed("bind", r, 1)) exit(1);
  return socket;
}

/* a datagram to be sent, to an address in parameters or to nobody in particular */
static int send_to(int32_t out, const char *bytes, size_t length, int32_t *a, Result *r) {
  struct { const char *data; size_t length; uint8_t some, x[3], tag, y[3]; uint16_t port; uint8_t address[26]; } d;
  memset(&d, 0, sizeof d);
  d.data = bytes, d.length = length;
  if (a != NULL) {
    d.some = 1, d.port = a[1];
    for (int i = 0; i < 4; i++) d.address[i] = a[2 + i];
  }
  udp_check(out, r);
  if (failed("check-send", r, 8)) return 1;
  if (U64(*r, 8) == 0) return printf("no room\n"), 1;
  udp_send(out, &d, 1, r);
  return failed("send", r, 8);
}

static int receive(int32_t in, Result *r) {
  for (;;) {
    udp_receive(in, 1, r);
    if (failed("receive", r, 4)) return 1;
    if (U32(*r, 8) > 0) return 0;
    await(udp_incoming(in));
  }
}

static int datagram_client(const char *where, int port, const char *text, int one) {
  Result r;
  int32_t a[12], b[12];
  int32_t socket = udp("0.0.0.0", 0, &r);
  address(a, where, port);
  udp_stream(socket, one, FLAT(a), &r);
  if (failed("stream", &r, 4)) return 1;
  int32_t in = U32(r, 4), out = U32(r, 8);
  udp_remote(socket, &r);
  if (one) show("remote", &r);
  else tell("remote", &r, 4);
  static char large[70000];
  send_to(out, large, sizeof large, one ? NULL : a, &r);
  address(b, where, port + 1);
  send_to(out, "x", 1, b, &r);
  if (!one) send_to(out, "x", 1, NULL, &r);
  if (send_to(out, text, strlen(text), one ? NULL : a, &r)) return 1;
  if (receive(in, &r)) return 1;
  const uint32_t *d = (const uint32_t *)TEXT(r, 4);
  printf("%.*s from %d\n", (int)d[1], (const char *)d[0], ((const uint16_t *)d)[6]);
  return 0;
}

static int datagram_server(const char *where, int port) {
  Result r;
  int32_t a[12];
  int32_t socket = udp(where, port, &r);
  address(a, where, 0);
  udp_stream(socket, 0, FLAT(a), &r);
  if (failed("stream", &r, 4)) return 1;
  int32_t in = U32(r, 4), out = U32(r, 8);
  udp_local(socket, &r);
  printf("%d\n", U16(r, 8));
  fflush(stdout);
  if (receive(in, &r)) return 1;
  const uint32_t *d = (const uint32_t *)TEXT(r, 4);
  printf("got %.*s\n", (int)d[1], (const char *)d[0]);
  const uint8_t *from = (const uint8_t *)d + 14;
  int32_t b[12] = {0, ((const uint16_t *)d)[6], from[0], from[1], from[2], from[3]};
  return send_to(out, "answer", 6, b, &r);
}

static int names(const char *name) {
  Result r;
  resolve(network, name, strlen(name), &r);
  if (failed("resolve", &r, 4)) return 1;
  int32_t stream = U32(r, 4);
  for (;;) {
    FINISH(resolve_next, stream, resolve_subscribe, &r, 2)
    if (failed("resolve", &r, 2)) return 1;
    if (!U8(r, 2)) return 0;
    if (U8(r, 4) == 0) printf("%d.%d.%d.%d\n", U8(r, 6), U8(r, 7), U8(r, 8), U8(r, 9));
    else printf("...%x\n", U16(r, 20));
  }
}

int main(int argc, char **argv) {
  network = instance_network();
  const char *what = argc > 1 ? argv[1] : "";
  int port = argc > 3 ? atoi(argv[3]) : 0;
#define IS(name, count) (strcmp(what, name) == 0 && argc == count)
  if (IS("connect", 5)) return client(argv[2], port, argv[4], 0, 0);
  if (IS("from", 5)) return client(argv[2], port, argv[4], 0, 1);
  if (IS("pump", 5)) return client(argv[2], port, NULL, atol(argv[4]), 0);
  if (IS("serve", 5)) return serve(argv[2], port, atoi(argv[4]));
  if (IS("states", 4)) return states(argv[2], port);
  if (IS("udp", 5)) return datagram_client(argv[2], port, argv[4], 0);
  if (IS("udp-one", 5)) return datagram_client(argv[2], port, argv[4], 1);
  if (IS("datagrams", 4)) return datagram_server(argv[2], port);
  if (IS("resolve", 3)) return names(argv[2]);
  return 2;
}
