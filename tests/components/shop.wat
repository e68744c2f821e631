;; The component of the examples in docs/components.md:
;;
;;   interface prices { of: func(item: string) -> result<u32, string>; }
;;   interface shop {
;;     resource basket {
;;       constructor(budget: option<u32>);
;;       add: func(item: string) -> result<u32, string>;
;;       total: func() -> u32;
;;     }
;;   }
;;   world demo { import prices; export shop; }
(component
  (import "demo:shop/prices@1.0.0" (instance $prices
    (export "of" (func (param "item" string) (result (result u32 (error string)))))))
  ;; a basket is two words: what it cost so far, and what it may cost
  (core module $main-module
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "make") (param $given i32) (param $budget i32) (result i32)
      (local $basket i32)
      (local.set $basket
        (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8)))
      (i32.store (local.get $basket) (i32.const 0))
      (i32.store offset=4 (local.get $basket)
        (select (local.get $budget) (i32.const -1) (local.get $given)))
      (local.get $basket))
    (func (export "total") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "drop") (param i32))
    (data (i32.const 512) "too expensive"))
  (core instance $room (instantiate $main-module))
  (alias core export $room "memory" (core memory $memory))
  (alias core export $room "realloc" (core func $realloc))
  (core func $of (canon lower (func $prices "of") (memory $memory) (realloc $realloc)))
  (alias core export $room "drop" (core func $drop))
  (type $basket' (resource (rep i32) (dtor (core func $drop))))
  (core func $new (canon resource.new $basket'))
  (core module $calls
    (import "room" "memory" (memory 1))
    (import "room" "make" (func $make (param i32 i32) (result i32)))
    (import "own" "new" (func $new (param i32) (result i32)))
    (import "prices" "of" (func $of (param i32 i32 i32)))
    (func (export "new") (param i32 i32) (result i32)
      (call $new (call $make (local.get 0) (local.get 1))))
    (func (export "add") (param $basket i32) (param $item i32) (param $length i32) (result i32)
      (local $total i32)
      (call $of (local.get $item) (local.get $length) (i32.const 256))
      (if (i32.load8_u (i32.const 256)) (then (return (i32.const 256))))
      (local.set $total (i32.add (i32.load (local.get $basket)) (i32.load (i32.const 260))))
      (if (i32.gt_u (local.get $total) (i32.load offset=4 (local.get $basket)))
        (then
          (i32.store8 (i32.const 256) (i32.const 1))
          (i32.store (i32.const 260) (i32.const 512))
          (i32.store (i32.const 264) (i32.const 13)))
        (else
          (i32.store (local.get $basket) (local.get $total))
          (i32.store (i32.const 260) (local.get $total))))
      (i32.const 256)))
  (core instance $calls (instantiate $calls
    (with "room" (instance $room))
    (with "own" (instance (export "new" (func $new))))
    (with "prices" (instance (export "of" (func $of))))))
  (func $make (param "budget" (option u32)) (result (own $basket'))
    (canon lift (core func $calls "new")))
  (func $add (param "self" (borrow $basket')) (param "item" string)
    (result (result u32 (error string)))
    (canon lift (core func $calls "add") (memory $memory) (realloc $realloc)))
  (func $total (param "self" (borrow $basket')) (result u32) (canon lift (core func $room "total")))
  (component $shop
    (import "import-type-basket" (type $b (sub resource)))
    (import "import-make" (func $make (param "budget" (option u32)) (result (own $b))))
    (import "import-add" (func $add (param "self" (borrow $b)) (param "item" string)
      (result (result u32 (error string)))))
    (import "import-total" (func $total (param "self" (borrow $b)) (result u32)))
    (export $basket "basket" (type $b))
    (export "[constructor]basket" (func $make)
      (func (param "budget" (option u32)) (result (own $basket))))
    (export "[method]basket.add" (func $add)
      (func (param "self" (borrow $basket)) (param "item" string)
        (result (result u32 (error string)))))
    (export "[method]basket.total" (func $total)
      (func (param "self" (borrow $basket)) (result u32))))
  (instance (export "demo:shop/shop@1.0.0") (instantiate $shop
    (with "import-type-basket" (type $basket'))
    (with "import-make" (func $make))
    (with "import-add" (func $add))
    (with "import-total" (func $total)))))
