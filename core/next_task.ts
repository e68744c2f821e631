/**
 * Letting others go first.
 *
 * @module
 */

/** Lets other tasks through; far quicker than setTimeout(0). */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
