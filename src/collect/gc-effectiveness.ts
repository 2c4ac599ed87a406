/**
 * How much of what had grown each major collection gave back.
 *
 * Definition: with the heap in use after one major collection as the floor, growth is what the heap
 * had gained over that floor when the next one began, and what it gave back is used before − used
 * after. The figure is the share given back over the last few collections, 0–100.
 * Assumption: what one collection leaves was alive then; a leak is growth that is never given back.
 * When it errs: a heap that fills with wanted objects after a start looks like a leak for as long
 * as it fills. NaN until two collections, and while nothing grew.
 * Cost: an addition or two for each major collection.
 */
const COLLECTIONS = 5;

export interface MajorCollection {
  readonly usedBeforeBytes: number;
  readonly usedAfterBytes: number;
}

export interface GcEffectiveness {
  add(collection: MajorCollection): void;
  readonly percent: number;
}

export function createGcEffectiveness(): GcEffectiveness {
  let floorBytes = Number.NaN;
  let recent: { grewBytes: number; freedBytes: number }[] = [];

  return {
    add({ usedBeforeBytes, usedAfterBytes }) {
      const grewBytes = usedBeforeBytes - floorBytes;
      floorBytes = usedAfterBytes;
      if (!(grewBytes > 0)) return;
      const freedBytes = Math.min(Math.max(usedBeforeBytes - usedAfterBytes, 0), grewBytes);
      recent = [...recent, { grewBytes, freedBytes }].slice(-COLLECTIONS);
    },
    get percent() {
      const grew = recent.reduce((sum, { grewBytes }) => sum + grewBytes, 0);
      const freed = recent.reduce((sum, { freedBytes }) => sum + freedBytes, 0);
      return grew > 0 ? (freed / grew) * 100 : Number.NaN;
    },
  };
}
