import type { SceneColourName, SceneGroupName, SceneSizeName } from './concepts';

/** An object as it is placed, before anything hides it. */
export interface PlacedObject {
  /** Index of its concept. */
  readonly concept: number;
  /** Index of its colour, if the concept is recolourable. */
  readonly colour: number | undefined;
  /** Index of its size. */
  readonly size: number;
  /** Upper left corner of the drawing, in pixels; may lie outside the picture. */
  readonly left: number;
  readonly top: number;
}

/** All that decides the pixels of a scene. Later objects lie in front of earlier ones. */
export interface Layout {
  /** S: the side of the picture, in pixels. */
  readonly side: number;
  readonly objects: readonly PlacedObject[];
  readonly background: Background;
}

export interface Background {
  readonly kind: 'flat' | 'gradient' | 'noise';
  /** Indices of colours of backgrounds; a gradient goes from the first to the second. */
  readonly colours: readonly [number, number];
  /** For gradients: towards the right, below, or both. */
  readonly towards: { readonly right: boolean; readonly below: boolean };
  /** For noise: levels of a lattice, −1 to 1. */
  readonly lattice: readonly number[];
}

/** Half-open pixels: left ≤ x < right, top ≤ y < bottom. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** An object as it is seen. */
export interface SceneObject {
  readonly concept: string;
  readonly group: SceneGroupName;
  readonly colour: SceneColourName | undefined;
  readonly size: SceneSizeName;
  /** Around what is visible of it. */
  readonly box: Box;
  /** The centre of that box, in pixels. */
  readonly centre: { readonly x: number; readonly y: number };
  /** The share of its pixels that are in the picture and not hidden. */
  readonly visibleShare: number;
  /** 0 is farthest. */
  readonly depth: number;
}

/** The objects of a picture and where they are: all that texts are about. */
export interface SceneGraph {
  /** S: the side of the picture, in pixels. */
  readonly side: number;
  readonly objects: readonly SceneObject[];
}

/** A scene with the layout it came from. */
export interface Scene extends SceneGraph {
  readonly layout: Layout;
}
