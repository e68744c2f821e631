;; Calls proc_exit(42) within `try ... catch_all`, as C++ does that catches everything, twice over,
;; and then writes a line and returns as if nothing had happened: start() must return 42 nevertheless,
;; and no line be written. proc_exit must not come back either, or the guest traps. This is the older
;; encoding of exceptions, which Node 20 knows.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "swallowed\n")
  (func $inner
    (try
      (do
        (call $proc_exit (i32.const 42))
        (unreachable))
      (catch_all (rethrow 0))))
  (func (export "_start")
    (try (do (call $inner)) (catch_all))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 10))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
