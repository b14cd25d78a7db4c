/**
 * The objects that stand for blocks in this process, so that a handle which comes back is the very object that was sent.
 *
 * An object that is remembered holds its block, so the block's id cannot come to mean another one meanwhile.
 */

/** The id of a block, or what else identifies memory. */
type Key = number | string;

const objects = new Map<Key, WeakRef<object>>();
const collected = new FinalizationRegistry<Key>((id) => {
  if (objects.get(id)?.deref() === undefined) objects.delete(id);
});

/** From now on `object` stands for the block. It must hold the block until `forgetObject`, or until it is collected. */
export function rememberObject(id: Key, object: object): void {
  objects.set(id, new WeakRef(object));
  collected.register(object, id, object);
}

/** The object that stands for the block in this process, if there is one. */
export function knownObject(id: Key): object | undefined {
  return objects.get(id)?.deref();
}

/** Must come before the object lets go of the block. */
export function forgetObject(id: Key, object: object): void {
  if (objects.get(id)?.deref() === object) objects.delete(id);
  collected.unregister(object);
}
