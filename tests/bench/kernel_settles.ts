/**
 * What the kernel takes to take a network namespace down, in milliseconds, with room. It holds its
 * lock of network devices for most of that time, and whoever makes a device waits for it.
 */
const SETTLED_MS = 80;

/**
 * Waits until the kernel has taken down what the last subject left, so that each is charged for its
 * own work alone. Applied to every subject alike.
 */
export function kernelSettles(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
}
