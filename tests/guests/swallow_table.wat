;; swallow.wat in the standard encoding of exceptions, with try_table and exnref.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "swallowed\n")
  (func $inner
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught)
        (call $proc_exit (i32.const 42))
        (unreachable))
      (unreachable))
    (throw_ref))
  (func (export "_start")
    (block $caught
      (try_table (catch_all $caught)
        (call $inner)
        (unreachable)))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 10))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
