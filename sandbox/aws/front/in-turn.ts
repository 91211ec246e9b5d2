const queues = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Run `work` after everything that was started under the same `name` of the same `owner`. */
export async function inTurn<T>(owner: object, name: string, work: () => Promise<T>): Promise<T> {
  let names = queues.get(owner);
  if (names === undefined) queues.set(owner, (names = new Map()));
  const before = names.get(name) ?? Promise.resolve();
  const result = before.then(work, work);
  const settled = result.catch(() => undefined);
  names.set(name, settled);
  try {
    return await result;
  } finally {
    if (names.get(name) === settled) names.delete(name);
  }
}
