export async function invokeComponent(..._: unknown[]): Promise<number> {
  return 0;
}
