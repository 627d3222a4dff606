/** Names that masks and questions have in common for things; masks have these in this order, after the background. */
export const sceneGroups = [
  { name: 'animal', plural: 'animals' },
  { name: 'sea animal', plural: 'sea animals' },
  { name: 'fruit', plural: 'fruits' },
  { name: 'food', plural: 'foods' },
  { name: 'vehicle', plural: 'vehicles' },
  { name: 'tool', plural: 'tools' },
  { name: 'instrument', plural: 'instruments' },
  { name: 'shape', plural: 'shapes' },
] as const;
export type SceneGroupName = (typeof sceneGroups)[number]['name'];

/** A kind of object, with a name of one or two words, that every vendor has drawn. */
export interface SceneConcept {
  readonly name: string;
  readonly plural: string;
  readonly group: SceneGroupName;
  /** Code points of the emoji, as in its record. */
  readonly codePoints: string;
  /** Whether it is painted in one of {@link sceneColours}; others keep the colours of their drawing. */
  readonly recolourable: boolean;
}

type Row = readonly [name: string, codePoints: string, plural?: string];

const inOwnColours: Readonly<Record<SceneGroupName, readonly Row[]>> = {
  animal: [
    ['cat', '1F431'],
    ['dog', '1F436'],
    ['pig', '1F437'],
    ['cow', '1F42E'],
    ['lion', '1F981'],
    ['fox', '1F98A', 'foxes'],
    ['bear', '1F43B'],
    ['rabbit', '1F430'],
  ],
  'sea animal': [
    ['goldfish', '1F420', 'goldfish'],
    ['whale', '1F433'],
    ['octopus', '1F419', 'octopuses'],
    ['crab', '1F980'],
    ['turtle', '1F422'],
    ['dolphin', '1F42C'],
  ],
  fruit: [
    ['apple', '1F34E'],
    ['lemon', '1F34B'],
    ['banana', '1F34C'],
    ['tangerine', '1F34A'],
    ['pear', '1F350'],
    ['strawberry', '1F353', 'strawberries'],
    ['pineapple', '1F34D'],
    ['watermelon', '1F349'],
  ],
  food: [
    ['hamburger', '1F354'],
    ['pizza slice', '1F355'],
    ['doughnut', '1F369'],
    ['cupcake', '1F9C1'],
    ['egg', '1F95A'],
    ['pretzel', '1F968'],
    ['cookie', '1F36A'],
    ['hot dog', '1F32D'],
  ],
  vehicle: [
    ['car', '1F697'],
    ['bus', '1F68C', 'buses'],
    ['locomotive', '1F682'],
    ['tractor', '1F69C'],
    ['bicycle', '1F6B2'],
    ['plane', '2708-FE0F'],
    ['rocket', '1F680'],
    ['sailing boat', '26F5'],
  ],
  tool: [
    ['hammer', '1F528'],
    ['wrench', '1F527', 'wrenches'],
    ['axe', '1FA93'],
    ['saw', '1FA9A'],
    ['screwdriver', '1FA9B'],
    ['magnet', '1F9F2'],
  ],
  instrument: [
    ['guitar', '1F3B8'],
    ['trumpet', '1F3BA'],
    ['violin', '1F3BB'],
    ['drum', '1F941'],
  ],
  shape: [],
};

const recoloured: Readonly<Record<string, readonly Row[]>> = {
  animal: [['butterfly', '1F98B', 'butterflies']],
  tool: [
    ['key', '1F511'],
    ['umbrella', '2602-FE0F'],
  ],
  instrument: [['bell', '1F514']],
  shape: [
    ['heart', '2764-FE0F'],
    ['star', '2B50'],
    ['moon', '1F319'],
    ['cloud', '2601-FE0F'],
    ['drop', '1F4A7'],
    ['leaf', '1F341', 'leaves'],
    ['circle', '1F534'],
    ['diamond', '1F536'],
  ],
};

/** The 60 kinds of objects in scenes, group by group; 12 of them are recolourable. */
export const sceneConcepts: readonly SceneConcept[] = sceneGroups.flatMap(({ name: group }) => {
  const conceptsOf = (rows: readonly Row[], recolourable: boolean): SceneConcept[] =>
    rows.map(([name, codePoints, plural = `${name}s`]) => ({
      name,
      plural,
      group,
      codePoints,
      recolourable,
    }));
  return [...conceptsOf(inOwnColours[group], false), ...conceptsOf(recoloured[group] ?? [], true)];
});

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

export const sceneColours = [
  { name: 'red', rgb: [214, 39, 40] },
  { name: 'orange', rgb: [245, 133, 24] },
  { name: 'yellow', rgb: [250, 215, 40] },
  { name: 'green', rgb: [44, 150, 60] },
  { name: 'blue', rgb: [40, 95, 210] },
  { name: 'purple', rgb: [130, 60, 175] },
] as const satisfies readonly { readonly name: string; readonly rgb: Rgb }[];
export type SceneColourName = (typeof sceneColours)[number]['name'];

/** Shares of the picture's side that a drawing takes. */
export const sceneSizes = [
  { name: 'small', share: 0.22 },
  { name: 'medium', share: 0.32 },
  { name: 'large', share: 0.45 },
] as const;
export type SceneSizeName = (typeof sceneSizes)[number]['name'];

/** Colours of backgrounds. */
export const sceneBackgrounds: readonly Rgb[] = [
  [242, 241, 236],
  [186, 188, 194],
  [66, 68, 76],
  [226, 210, 178],
  [196, 222, 194],
  [190, 212, 234],
  [236, 204, 212],
  [116, 92, 74],
];

const recolourable = sceneConcepts.filter((concept) => concept.recolourable);

/**
 * Whether a recolourable concept in a colour is left to the test of new pairs: one of the six colours for each concept, and
 * each colour for two concepts.
 */
export const isHeldOutPair = (concept: SceneConcept, colour: number): boolean =>
  concept.recolourable && recolourable.indexOf(concept) % sceneColours.length === colour;
