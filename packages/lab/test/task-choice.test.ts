import { families } from '@winnow/core';
import { workloads } from '../src/table';
import { workloadFor, workloadsOf } from '../src/workload/choice';

test('a task is found for every family that it names, and every family that it names is there', () => {
  const known = families.map(({ kind }) => kind);
  for (const workload of workloads) {
    for (const kind of workload.modelKinds) {
      expect(known).toContain(kind);
      expect(workloadsOf(kind)).toContain(workload);
      expect(workloadFor(kind, workload.name)).toBe(workload);
    }
  }
});

test('the first that suits is taken where none is named, and what does not suit is refused by name', () => {
  expect(workloadFor('dual-encoder').name).toBe('retrieval');
  // UNITERs pick regions, too, but only where that is asked for.
  const usual = ['mdetr', 'blip', 'vilt', 'uniter', 'lxmert'].map((kind) => workloadFor(kind).name);
  expect(usual).toEqual(['grounding', 'captions', 'questions', 'questions', 'questions']);
  expect(() => workloadFor('vision-transformer', 'retrieval')).toThrow(
    'a vision-transformer is for classification, not for retrieval',
  );
  expect(() => workloadFor('clip-text')).toThrow('there is no task for a clip-text by itself');
});
