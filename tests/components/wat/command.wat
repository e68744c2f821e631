;; Does what the first letter of its first argument says, for command.wit.
(module
  (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
  (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
  (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
  (import "wasi:cli/exit@0.2.0" "exit-with-code" (func $exit_with_code (param i32)))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
  (import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\n= ")
  (global $free (mut i32) (i32.const 4096))
  (global $out (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $print (param $at i32) (param $length i32)
    (call $write (global.get $out) (local.get $at) (local.get $length) (i32.const 64)))
  ;; a string by where it stands, and one byte of those at 0
  (func $string (param $at i32) (param $after i32)
    (call $print (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
    (call $print (local.get $after) (i32.const 1)))
  ;; a number, its last digit last
  (func $digits (param $number i64)
    (if (i64.ge_u (local.get $number) (i64.const 10))
      (then (call $digits (i64.div_u (local.get $number) (i64.const 10)))))
    (i32.store8 (i32.const 8)
      (i32.add (i32.const 48)
        (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
    (call $print (i32.const 8) (i32.const 1)))
  (func (export "wasi:cli/run@0.2.0#run") (result i32)
    (local $arguments i32) (local $count i32) (local $letter i32) (local $i i32)
    (call $arguments (i32.const 32))
    (local.set $arguments (i32.load (i32.const 32)))
    (local.set $count (i32.load (i32.const 36)))
    (global.set $out (call $stdout))
    (if (i32.lt_u (local.get $count) (i32.const 2)) (then (return (i32.const 0))))
    (local.set $letter
      (i32.load8_u (i32.load (i32.add (local.get $arguments) (i32.const 8)))))
    ;; a: arguments
    (if (i32.eq (local.get $letter) (i32.const 97))
      (then
        (loop $next
          (call $string
            (i32.add (local.get $arguments) (i32.mul (local.get $i) (i32.const 8)))
            (i32.const 0))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (local.get $count))))))
    ;; v: variables
    (if (i32.eq (local.get $letter) (i32.const 118))
      (then
        (call $environment (i32.const 40))
        (loop $next
          (if (i32.lt_u (local.get $i) (i32.load (i32.const 44)))
            (then
              (local.set $arguments
                (i32.add (i32.load (i32.const 40)) (i32.mul (local.get $i) (i32.const 16))))
              (call $string (local.get $arguments) (i32.const 1))
              (call $string (i32.add (local.get $arguments) (i32.const 8)) (i32.const 0))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $next))))))
    ;; d: directories
    (if (i32.eq (local.get $letter) (i32.const 100))
      (then
        (call $directories (i32.const 40))
        (loop $next
          (if (i32.lt_u (local.get $i) (i32.load (i32.const 44)))
            (then
              (call $string
                (i32.add (i32.load (i32.const 40))
                  (i32.add (i32.mul (local.get $i) (i32.const 12)) (i32.const 4)))
                (i32.const 0))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $next))))))
    ;; c: the clock, in seconds
    (if (i32.eq (local.get $letter) (i32.const 99))
      (then
        (call $now (i32.const 40))
        (call $digits (i64.load (i32.const 40)))
        (call $print (i32.const 0) (i32.const 1))))
    ;; f: fails; x: exits with 7; o: exits with 0
    (if (i32.eq (local.get $letter) (i32.const 102)) (then (return (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 120)) (then (call $exit_with_code (i32.const 7))))
    (if (i32.eq (local.get $letter) (i32.const 111)) (then (call $exit (i32.const 0)) unreachable))
    ;; t: traps; r: recurses; l: loops
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (call $trap)))
    (if (i32.eq (local.get $letter) (i32.const 114)) (then (call $deep)))
    (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop $again (br $again))))
    ;; w: writes for ever
    (if (i32.eq (local.get $letter) (i32.const 119))
      (then (loop $again (call $print (i32.const 0) (i32.const 1)) (br $again))))
    ;; m: fails if it gets no 100 pages
    (if (i32.eq (local.get $letter) (i32.const 109))
      (then (return (i32.eq (memory.grow (i32.const 100)) (i32.const -1)))))
    (i32.const 0))
  (func $trap (i32.store (i32.const -1) (i32.const 0)))
  (func $deep (call $deep) (call $deep)))
