import { z } from 'zod';
import { cocoText } from '../src/prediction/coco';

const images = z.object({ images: z.array(z.object({ file_name: z.string() })) });
const namesIn = (...paths: string[]): string[] => {
  const sizes = new Map(paths.map((path) => [path, { width: 4, height: 2 }]));
  const text = cocoText(new Map(paths.map((path) => [path, []])), sizes);
  return images.parse(JSON.parse(text)).images.map(({ file_name }) => file_name);
};

test('pictures of one name in several folders have names of their own', () => {
  expect(namesIn('photos/1.jpg', './photos/2.jpg')).toEqual(['1.jpg', '2.jpg']);
  expect(namesIn('photos/a/1.jpg', 'photos/b/1.jpg', 'photos/1.jpg')).toEqual([
    'a/1.jpg',
    'b/1.jpg',
    '1.jpg',
  ]);
  expect(namesIn('/a/1.jpg', '/b/1.jpg')).toEqual(['a/1.jpg', 'b/1.jpg']);
});
