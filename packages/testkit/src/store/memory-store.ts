import type { Snapshot, SnapshotStore } from '@winnow/core';

/** Snapshots in memory. What is saved and loaded is copied, as a file would. */
export function memorySnapshotStore(): SnapshotStore {
  const snapshots = new Map<string, Snapshot>();
  return {
    load: (name) => Promise.resolve(structuredClone(snapshots.get(name))),
    save: (name, snapshot) => {
      snapshots.set(name, structuredClone(snapshot));
      return Promise.resolve();
    },
    remove: (name) => {
      snapshots.delete(name);
      return Promise.resolve();
    },
  };
}

/** Stands for the death of the process. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/** The same store, which kills the run as soon as anything is saved. */
export function crashAfterSave(store: SnapshotStore): SnapshotStore {
  return {
    ...store,
    save: async (name, snapshot) => {
      await store.save(name, snapshot);
      throw new SimulatedCrash(`killed after saving ${name}`);
    },
  };
}

/** The same store, until `saves` snapshots have been saved: the next save kills the run and leaves nothing behind. */
export function crashAfterSaves(store: SnapshotStore, saves: number): SnapshotStore {
  let saved = 0;
  return {
    ...store,
    save: async (name, snapshot) => {
      if (saved === saves) throw new SimulatedCrash(`killed before saving ${name}, after ${saves} saves`);
      await store.save(name, snapshot);
      saved += 1;
    },
  };
}
