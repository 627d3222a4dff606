import type { Picture } from './picture';

/** Decoded pictures, kept in memory up to a number of bytes. */
export interface PictureStore {
  /** The picture known as `key`, loaded at most once at a time. A failed load is not remembered. */
  get(key: string, load: () => Promise<Picture>): Promise<Picture>;
  /**
   * Takes several pictures that lie in one piece of memory, all of them or none: one of them holds the whole piece.
   * @returns whether there was room.
   */
  take(pictures: ReadonlyMap<string, Picture>, bytes: number): boolean;
  /** Whether so many bytes more fit now. */
  hasRoom(bytes: number): boolean;
}

/**
 * Keeps pictures until it is full and then keeps no more. Epochs visit every picture equally often, so evicting old
 * ones would throw each picture away shortly before it is asked for again.
 */
export function pictureStore(capacityBytes: number): PictureStore {
  const pictures = new Map<string, Promise<Picture>>();
  let usedBytes = 0;
  return {
    get: (key, load) => {
      const known = pictures.get(key);
      if (known !== undefined) return known;
      const loading = load();
      pictures.set(key, loading);
      loading.then(
        ({ pixels }) => {
          if (pictures.get(key) !== loading) return; // it has come with others meanwhile
          if (usedBytes + pixels.byteLength <= capacityBytes) usedBytes += pixels.byteLength;
          else pictures.delete(key);
        },
        () => {
          if (pictures.get(key) === loading) pictures.delete(key);
        },
      );
      return loading;
    },
    hasRoom: (bytes) => usedBytes + bytes <= capacityBytes,
    take: (several, bytes) => {
      if (usedBytes + bytes > capacityBytes) return false;
      usedBytes += bytes;
      for (const [key, picture] of several) pictures.set(key, Promise.resolve(picture));
      return true;
    },
  };
}
