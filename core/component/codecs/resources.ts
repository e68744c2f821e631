/**
 * Handles of resources: owned and borrowed ones.
 *
 * @module
 */
import { type Codec, type CodecContext, Cost, type Flat, type FlatType } from "./codec.ts";
import { calls } from "../calls.ts";
import { Trap } from "../trap.ts";
import type { ResourceType } from "../types.ts";

/** A number that stands for a resource. */
abstract class HandleCodec implements Codec {
  readonly cost: number;
  readonly size: number = 4;
  readonly align: number = 4;
  readonly flat: readonly FlatType[] = ["i"];
  protected readonly cx: CodecContext;
  protected readonly type: ResourceType;

  constructor(cx: CodecContext, type: ResourceType) {
    this.cost = Cost.SLOT + (cx.side === undefined ? 0 : Cost.HELD);
    this.cx = cx;
    this.type = type;
  }

  abstract fromFlat(index: Flat): unknown;
  abstract toFlat(value: unknown): number;

  load(pointer: number): unknown {
    return this.fromFlat(this.cx.memory!.view.getUint32(pointer, true));
  }

  store(value: unknown, pointer: number): void {
    this.cx.memory!.view.setUint32(pointer, this.toFlat(value), true);
  }

  lift(from: ArrayLike<Flat>, at: number): unknown {
    return this.fromFlat(from[at]!);
  }

  lower(value: unknown, to: Flat[]): void {
    to.push(this.toFlat(value));
  }
}

export class OwnCodec extends HandleCodec {
  fromFlat(index: Flat): unknown {
    const { handles, side } = this.cx;
    const { representation, scope } = handles.remove((index as number) >>> 0, this.type);
    if (scope !== undefined) throw new Trap("a borrowed handle is given away");
    return side === undefined ? representation : side.out(this.type, representation, true);
  }

  toFlat(value: unknown): number {
    const { handles, side } = this.cx;
    const representation = side === undefined ? value : side.in(this.type, value, true);
    return handles.add(this.type, representation, undefined);
  }
}

export class BorrowCodec extends HandleCodec {
  fromFlat(index: Flat): unknown {
    const { handles, side } = this.cx;
    const handle = handles.get((index as number) >>> 0, this.type);
    if (calls.lent !== undefined && handle.scope === undefined) {
      handle.lends++;
      calls.lent.push(handle);
    }
    const { representation } = handle;
    return side === undefined ? representation : side.out(this.type, representation, false);
  }

  /** What reads one for a call that nobody counts what is lent to. */
  reader(): (index: Flat) => unknown {
    const { cx: { handles, side }, type } = this;
    return side === undefined
      ? (index) => handles.get((index as number) >>> 0, type).representation
      : (index) => side.out(type, handles.get((index as number) >>> 0, type).representation, false);
  }

  /** Who has made a resource gets what stands for it; others a handle, for as long as the call. */
  toFlat(value: unknown): number {
    const { handles, side, owner } = this.cx;
    const representation = side === undefined ? value : side.in(this.type, value, false);
    if (this.type.owner === owner) return representation as number;
    return handles.add(this.type, representation, calls.scope);
  }
}
